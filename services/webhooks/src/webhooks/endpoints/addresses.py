"""Which addresses a merchant may have us connect to: those of the open Internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

# Routable by the tables at hand, and all the same inside: protocol assignments, with the metadata of one cloud; relays
# that lead back to IPv4; and the metadata address that another cloud keeps in its public range.
_REFUSED_V4: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
# Global unicast without what carries an IPv4 address in it (6to4, Teredo) or is for documentation and protocols.
_UNICAST_V6: Final = IPv6Network("2000::/3")
_REFUSED_V6: Final = (IPv6Network("2001::/23"), IPv6Network("2002::/16"), IPv6Network("3fff::/20"))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is a host of the open Internet and nothing else, however it is written."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _UNICAST_V6 and not any(address in network for network in _REFUSED_V6)
