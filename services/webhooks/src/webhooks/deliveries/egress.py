"""One POST to a merchant's endpoint, behind the guard of `endpoints.destinations`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from webhooks.deliveries.status import Outcome
from webhooks.endpoints.destinations import GuardedResolver, Policy, Refused

TIME_LIMIT: Final = 15.0
ANSWER_BYTES: Final = 2048
_ANSWER_SECONDS: Final = 1.0
_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "Cobro-Webhooks/1",
    # What is shown of an answer is its beginning, which of a compressed one says nothing.
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a try. seconds: how long it took; answer: the first 2 KB of the body; retry_after: what the endpoint
    asked for."""

    outcome: Outcome
    seconds: float
    status_code: int | None = None
    answer: bytes = b""
    retry_after: timedelta | None = None


class Egress:
    """Create it inside the running loop; `close()` it. Redirects are not followed, cookies not kept, proxy variables
    ignored, and no connection is used twice, so that every one has passed the guard."""

    def __init__(self, policy: Policy, resolver: GuardedResolver, *, time_limit: float = TIME_LIMIT) -> None:
        self._policy = policy
        self._time_limit = time_limit
        self._resolver = resolver
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver, use_dns_cache=False, force_close=True, limit=0, happy_eyeballs_delay=None
            ),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """One try. Whatever happens there is an answer; nothing is raised for it."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._time_limit):
                return await self._post(url, body, headers, started)
        except TimeoutError:
            outcome = Outcome.TIMED_OUT
        except Refused:
            outcome = Outcome.REFUSED
        except aiohttp.ClientConnectorDNSError as error:
            outcome = Outcome.REFUSED if isinstance(error.os_error, Refused) else Outcome.UNREACHABLE
        except aiohttp.ClientConnectorError:
            outcome = Outcome.UNREACHABLE
        except (aiohttp.ClientError, OSError, ValueError):
            outcome = Outcome.NO_ANSWER
        return Answered(outcome, time.perf_counter() - started)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], started: float) -> Answered:
        target = self._policy.checked(url)
        async with self._session.post(target, data=body, headers=headers, allow_redirects=False) as response:
            seconds = time.perf_counter() - started
            answer = await _beginning(response)
            response.close()
            return Answered(
                _outcome(response.status),
                seconds,
                response.status,
                answer,
                _retry_after(response.headers.get("Retry-After", "")),
            )


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The status has decided already: a body that comes drop by drop is cut short."""
    body = bytearray()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(body) < ANSWER_BYTES:
                chunk = await response.content.read(ANSWER_BYTES - len(body))
                if not chunk:
                    break
                body += chunk
    except (TimeoutError, aiohttp.ClientError):
        return bytes(body)
    return bytes(body)


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if 300 <= status < 400:
        return Outcome.REDIRECTED
    return Outcome.GONE if status == 410 else Outcome.REJECTED


def _retry_after(value: str) -> timedelta | None:
    """Of both forms, seconds and a date; None for anything else, and for the past."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return wait if wait > timedelta() else None
