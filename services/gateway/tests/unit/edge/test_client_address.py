from __future__ import annotations

from ipaddress import ip_network

import pytest
from gateway.edge.client_address import ClientAddresses, limit_subject
from gateway.proxy.headers import Incoming

TRUSTED = (ip_network("10.0.0.0/8"),)


def resolve(peer: str, *forwarded: bytes, trusted: tuple = TRUSTED) -> str:  # type: ignore[type-arg]
    return ClientAddresses(trusted).resolve(peer, Incoming(forwarded_for=list(forwarded)))


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    assert resolve("10.0.0.1", b"1.2.3.4", trusted=()) == "10.0.0.1"
    assert resolve("8.8.8.8", b"1.2.3.4") == "8.8.8.8"


def test_the_last_hop_that_no_trusted_proxy_wrote_is_the_client() -> None:
    assert resolve("10.0.0.1", b"6.6.6.6, 1.2.3.4") == "1.2.3.4"
    assert resolve("10.0.0.1", b"6.6.6.6, 1.2.3.4, 10.0.0.2") == "1.2.3.4"
    assert resolve("10.0.0.1", b"6.6.6.6", b"1.2.3.4") == "1.2.3.4"
    assert resolve("10.0.0.1", b"garbage") == "10.0.0.1"
    assert resolve("10.0.0.1", b"1.2.3.4, garbage") == "10.0.0.1"
    assert resolve("10.0.0.1") == "10.0.0.1"
    assert resolve("::ffff:10.0.0.1", b"1.2.3.4") == "1.2.3.4"


def test_the_scheme_is_believed_from_a_trusted_proxy_only() -> None:
    addresses = ClientAddresses(TRUSTED)
    assert addresses.scheme("10.0.0.1", Incoming(forwarded_proto=b"https"), "http") == b"https"
    assert addresses.scheme("8.8.8.8", Incoming(forwarded_proto=b"https"), "http") == b"http"
    assert addresses.scheme("10.0.0.1", Incoming(forwarded_proto=b"ws\r\n"), "http") == b"http"


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::"),
        ("", ""),
    ],
)
def test_what_a_limit_counts(address: str, subject: str) -> None:
    assert limit_subject(address) == subject
