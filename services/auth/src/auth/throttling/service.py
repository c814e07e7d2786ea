"""Counting attempts in Redis, and in this process alone while Redis is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from chassis.crypto import BlindIndex
from chassis.telemetry.logs import get_logger
from kernel import Clock
from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth.metrics import throttled_attempts, throttling_fallbacks
from auth.throttling.backoff import Backoff, LocalTallies
from auth.throttling.errors import throttled
from auth.throttling.limits import Guess

log = get_logger(__name__)

_DOWN = (RedisError, OSError, TimeoutError)
_FAMILIAR_SECONDS: Final = 30 * 24 * 3600


@dataclass(slots=True)
class Attempt:
    """One guess, which counts as wrong until it is over. `wrong()` says that it is to stay so."""

    familiar: str
    pair: list[str]
    subject: list[str]
    address: list[str]
    is_wrong: bool = False

    def wrong(self) -> None:
        self.is_wrong = True


class Throttle:
    """Keys are keyed hashes: nobody learns from Redis who tried to log in, or from where.

    An attempt is counted before it is made, for otherwise all that are made at once would find nothing counted yet.
    """

    def __init__(self, redis: Redis, blind_index: BlindIndex, clock: Clock) -> None:
        self._blind_index = blind_index
        self._clock = clock
        self._charge = redis.register_script(_script("charge"))
        self._settle = redis.register_script(_script("settle"))
        self._local = LocalTallies()
        self._alone = False

    @asynccontextmanager
    async def attempt(self, guess: Guess, subject: str, address: str) -> AsyncIterator[Attempt]:
        """Around a guess. Raises RateLimited when it comes too soon.

        A block that ends well was right: the subject's tallies begin anew, the address's is as if nothing had been. One
        that ends with an error after `wrong()` was wrong; with any other error it was nothing, and is not counted.
        """
        made = await self._begin(guess, subject, address)
        try:
            yield made
        except Exception:
            # Not for a cancelled request: hanging up would be the way to guess for free.
            if not made.is_wrong:
                await self._end([], [*made.pair, *made.subject, *made.address])
            raise
        await self._end([*made.pair, *made.subject], made.address, made.familiar if made.pair else None)

    async def count(self, guess: Guess, subject: str, address: str) -> None:
        """What is slowed down whatever comes of it. Raises RateLimited when it comes too soon."""
        await self._begin(guess, subject, address)

    async def forgive(self, guess: Guess, subject: str, address: str) -> None:
        """The subject has proved who they are in another way."""
        made, _ = self._tallies(guess, subject, address)
        await self._end([*made.pair, *made.subject], [])

    async def _begin(self, guess: Guess, subject: str, address: str) -> Attempt:
        made, charges = self._tallies(guess, subject, address)
        now = self._now()
        keys = [made.familiar, *(key for key, _ in charges)]
        arguments: list[int] = [now]
        for _, backoff in charges:
            arguments += (backoff.free, backoff.longest, backoff.window)
        try:
            wait, charged = await self._charge(keys=keys, args=arguments)
            self._reached()
            # Should Redis be lost in the middle of an attack, it does not begin anew.
            self._local.note(charges[:charged], now)
        except _DOWN as error:
            self._lost(error)
            wait, charged = self._local.charge(made.familiar, charges, now)
        if wait:
            throttled_attempts.labels(guess.value.name).inc()
            raise throttled(guess, -(-int(wait) // 1000))
        if charged < len(charges):
            made.subject, made.address = [], []
        return made

    async def _end(self, clear: Sequence[str], give_back: Sequence[str], familiar: str | None = None) -> None:
        now = self._now()
        self._local.settle(familiar, clear, give_back, now)
        keys = [*clear, *give_back, *([familiar] if familiar else [])]
        if not keys:
            return
        try:
            await self._settle(keys=keys, args=[now, len(clear), len(give_back), _FAMILIAR_SECONDS])
            self._reached()
        except _DOWN as error:
            self._lost(error)

    def _tallies(self, guess: Guess, subject: str, address: str) -> tuple[Attempt, list[tuple[str, Backoff]]]:
        limits, network = guess.value, _network(address)

        def keys(kind: str, backoff: Backoff | None, value: str) -> list[str]:
            return [] if backoff is None else [self._key(limits.name, kind, value)]

        made = Attempt(
            familiar=self._key(limits.name, "familiar", f"{network} {subject}"),
            pair=keys("pair", limits.pair, f"{network} {subject}"),
            subject=keys("subject", limits.subject, subject),
            address=keys("address", limits.address, network),
        )
        named = zip((made.pair, made.subject, made.address), (limits.pair, limits.subject, limits.address), strict=True)
        return made, [(key, backoff) for found, backoff in named if backoff is not None for key in found]

    def _key(self, guess: str, kind: str, value: str) -> str:
        return f"throttle:{guess}:{kind}:{self._blind_index.of(value, column=f'throttle.{guess}.{kind}').hex()}"

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _lost(self, error: BaseException) -> None:
        throttling_fallbacks.inc()
        if not self._alone:
            log.warning("throttle.redis_lost", error=type(error).__name__)
        self._alone = True

    def _reached(self) -> None:
        if self._alone:
            log.warning("throttle.redis_back")
        self._alone = False


def _network(address: str) -> str:
    """An IPv6 customer has at least a /64, and every address in it. Empty where no address is known."""
    if not address:
        return ""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def _script(name: str) -> str:
    return resources.files("auth.throttling").joinpath(f"{name}.lua").read_text(encoding="utf-8")
