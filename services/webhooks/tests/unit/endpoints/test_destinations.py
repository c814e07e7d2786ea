"""Everything by which a URL has ever been made to lead inside, refused."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from webhooks.endpoints.addresses import is_public
from webhooks.endpoints.destinations import GuardedResolver, Policy, Refused, Unresolvable

POLICY = Policy()
LOOPBACK = Policy(allow_loopback=True)

INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:53aa:64c:0:0:80ff:fffe", "2001:db8::1"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1", "3fff::1"),
    "5f00::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_of_the_open_internet(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not POLICY.admits(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_an_address_of_the_open_internet(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:0"),
        *("//example.com/", "example.com", "", "https://", "https:///x", "https://:443/", "https:example.com"),
        # numbers in every notation
        *("https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://127.1/"),
        *("https://0177.0.0.1/", "https://017700000001/", "https://0/", "https://127.0.0.1./", "https://1.1.1.1/"),
        *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/"),
        *("https://example.0x7f/", "https://a.1/"),
        # what seems to be a host and is not, or the other way round
        *("https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/"),
        *("https://example.com@127.0.0.1/", "https://127.0.0.1#@example.com/", "https://example.com\\@127.0.0.1/"),
        *(
            "https://example.com/#x",
            "https://exa mple.com/",
            "https://example.com/\r\nHost: inside",
            "https://e.com/\t",
        ),
        "https://example.com\x00.inside/",
        # names of this machine and of none
        *("https://localhost/", "https://LOCALHOST/", "https://intranet/", "https://example.com./", "https://.com/"),
        # digits and dots that become others by normalisation
        *("https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://éxample.com/", "https://ⓛocalhost.com/"),
        # ports
        *("https://example.com:22/", "https://example.com:80/", "https://example.com:0/", "https://example.com:99999/"),
        *("https://example.com:x/", "https://example.com:8443/", "https://example.com:-1/"),
        "https://example.com/" + "a" * 2000,
        "https://" + "a" * 64 + ".com/",
    ],
)
def test_a_url_that_we_do_not_send_to(url: str) -> None:
    with pytest.raises(Refused):
        POLICY.checked(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.com", "https://example.com/", "https://example.com:443/x?y=z%20", "HTTPS://EXAMPLE.COM/A"),
        *("https://hooks.tienda-1.example.com.mx/cobro", "https://xn--xample-9ua.com/"),
    ],
)
def test_a_url_that_we_send_to(url: str) -> None:
    assert POLICY.checked(url).host


def test_ports_are_those_of_the_settings() -> None:
    policy = Policy(frozenset({443, 8443}))

    assert policy.checked("https://example.com:8443/").port == 8443
    with pytest.raises(Refused, match="443 or 8443"):
        policy.checked("https://example.com:9000/")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://localhost:9000/", "http://[::1]:9000/"])
def test_this_machine_only_where_it_is_allowed(url: str) -> None:
    assert LOOPBACK.checked(url).port == 9000
    with pytest.raises(Refused):
        POLICY.checked(url)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://example.com/", "https://169.254.169.254/"])
def test_what_is_allowed_for_this_machine_is_for_no_other(url: str) -> None:
    with pytest.raises(Refused):
        LOOPBACK.checked(url)


def resolving(*answers: Sequence[str]) -> GuardedResolver:
    """A name that answers these, one after the other."""
    left = list(answers)
    return GuardedResolver(POLICY, at_once=1, lookup=lambda host, port: left.pop(0))


async def test_a_name_leads_where_its_addresses_say() -> None:
    resolver = resolving(["8.8.8.8", "2606:4700:4700::1111"])

    found = await resolver.resolve("example.com", 443)

    assert [entry["host"] for entry in found] == ["8.8.8.8", "2606:4700:4700::1111"]


@pytest.mark.parametrize("address", INSIDE)
async def test_one_address_inside_spoils_the_name(address: str) -> None:
    with pytest.raises(Refused):
        await resolving(["8.8.8.8", address]).resolve("example.com", 443)


async def test_a_name_that_changes_its_mind_is_refused_the_second_time() -> None:
    resolver = resolving(["8.8.8.8"], ["127.0.0.1"])
    await resolver.resolve("example.com", 443)

    with pytest.raises(Refused):
        await resolver.resolve("example.com", 443)


@pytest.mark.parametrize("answer", [[], ["nonsense"]])
async def test_a_name_without_an_address(answer: Sequence[str]) -> None:
    with pytest.raises(Unresolvable):
        await resolving(answer).resolve("example.com", 443)


async def test_a_name_nobody_can_resolve() -> None:
    def lookup(host: str, port: int) -> Sequence[str]:
        raise UnicodeError

    with pytest.raises(Unresolvable):
        await asyncio.wait_for(GuardedResolver(POLICY, at_once=1, lookup=lookup).resolve("example.com", 443), 5)
