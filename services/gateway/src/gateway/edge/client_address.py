"""Who is calling, by address, when proxies may stand in between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gateway.proxy.headers import Incoming

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


@lru_cache(maxsize=4096)
def parsed(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: Networks) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def limit_subject(address: str) -> str:
    """What a limit counts: an IPv4 address, or the /64 that one IPv6 household has whole."""
    known = parsed(address)
    if isinstance(known, IPv6Address):
        return str(IPv6Address(int(known) >> 64 << 64))
    return str(known or address)


class ClientAddresses:
    """X-Forwarded-For is read from the right, and only as far as `trusted` proxies wrote it."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted

    def resolve(self, peer: str, incoming: Incoming) -> str:
        if not self._trusted or not self._believed(peer):
            return peer
        hops = [hop.strip() for line in incoming.forwarded_for for hop in line.decode("latin-1").split(",")]
        client = peer
        for hop in reversed(hops):
            if parsed(hop) is None:
                break
            client = hop
            if not self._believed(hop):
                break
        return client

    def scheme(self, peer: str, incoming: Incoming, default: str) -> bytes:
        given = incoming.forwarded_proto
        if given in (b"http", b"https") and self._trusted and self._believed(peer):
            return given
        return default.encode()

    def _believed(self, text: str) -> bool:
        address = parsed(text)
        return address is not None and within(address, self._trusted)
