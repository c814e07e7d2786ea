"""The guard on where we connect to (server-side request forgery): a rule for URLs, and one for what names resolve to.

A URL names a host by its DNS name; each of its addresses must be public. The connection is made to an address that was
looked at, never to a name that is looked up again, so that a name which answers differently the second time gains
nothing. Both rules hold at registration and at every try.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from webhooks.endpoints.addresses import is_public

MAX_URL: Final = 2000
_LOOKUP_SECONDS: Final = 5.0
_VISIBLE_ASCII: Final = re.compile(r"[\x21-\x7e]+")
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label begins with a letter, so that no form of a number is a name: 2130706433, 0x7f.1, 017700000001.
_NAME: Final = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")

Lookup = Callable[[str, int], Sequence[str]]


class Refused(OSError):
    """We do not connect there. reason: for the merchant. An OSError, as aiohttp expects of its resolvers."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unresolvable(OSError):
    """The name has no address, or nobody could say in time."""


def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, as the system's resolver tells. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Policy:
    """ports: those that may be named. allow_loopback: also http and addresses of this very machine, at any port; for
    development alone."""

    ports: frozenset[int] = frozenset({443})
    allow_loopback: bool = False

    def checked(self, text: str) -> URL:
        """The URL, if we may send there as far as it alone can tell. Raises Refused."""
        if len(text) > MAX_URL:
            raise Refused(f"is longer than {MAX_URL} characters")
        # What browsers and libraries read in different ways is not read at all.
        if not _VISIBLE_ASCII.fullmatch(text) or "\\" in text:
            raise Refused("must be a URL in ASCII, without spaces or backslashes")
        try:
            url = URL(text)
            host, port = url.raw_host, url.port
        except ValueError:
            raise Refused("is not a URL") from None
        if url.scheme not in ("http", "https") or not host:
            raise Refused("must begin with https://")
        if "@" in text.split("://", 1)[1].split("/", 1)[0] or url.user is not None or url.password is not None:
            raise Refused("must not carry a user or a password")
        if "#" in text:
            raise Refused("must not have a fragment")
        if self.allow_loopback and _is_loopback(host):
            return url
        if url.scheme != "https":
            raise Refused("must begin with https://")
        if not _NAME.fullmatch(host):
            raise Refused("must name its host by a full DNS name, not by an address")
        if port not in self.ports:
            raise Refused(f"must use port {' or '.join(map(str, sorted(self.ports)))}")
        return url

    def admits(self, address: IPv4Address | IPv6Address) -> bool:
        return is_public(address) or (self.allow_loopback and address.is_loopback)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class GuardedResolver(AbstractResolver):
    """Gives aiohttp only addresses that the policy admits: if a single one of a name's is not, none.

    It has threads of its own, `at_once` of them: names that take long to resolve hold up nobody else's.
    """

    def __init__(self, policy: Policy, *, at_once: int, lookup: Lookup = look_up) -> None:
        self._policy = policy
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="webhook-dns")

    async def addresses(self, host: str, port: int) -> Sequence[IPv4Address | IPv6Address]:
        """Raises Refused, Unresolvable."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                found = await loop.run_in_executor(self._threads, self._lookup, host, port)
            addresses = [ip_address(text) for text in found]
        except (TimeoutError, OSError, ValueError):
            raise Unresolvable("the host's name does not resolve") from None
        if not addresses:
            raise Unresolvable("the host's name does not resolve")
        if not all(map(self._policy.admits, addresses)):
            raise Refused("must not lead to a private or reserved address")
        return addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self.addresses(host, port)
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
