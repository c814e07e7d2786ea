"""The banks a buyer may pay from, where the provider wants the bank named beforehand (PSE in Colombia).

The list is the provider's. It is remembered for an hour, in Redis for all processes and in each process; while the
provider cannot be reached, what a process has seen before serves for a day.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from chassis.cache import Cache
from kernel import Clock, FieldError, RuleViolation, Unavailable
from psp.provider import (
    Bank,
    OutcomeUnknown,
    PaymentMethod,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
)

from payments.intents import payers

FRESH: Final = timedelta(hours=1)
STALE: Final = timedelta(days=1)

_UNREACHABLE: Final = (ProviderUnavailable, OutcomeUnknown, ProviderNotConfigured, ProviderRejected)


@dataclass(frozen=True, slots=True)
class _Seen:
    banks: tuple[Bank, ...]
    at: datetime


class BankLists:
    """By provider: the list is the same for all accounts there."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, provider: PaymentProvider) -> tuple[Bank, ...]:
        """None where the provider asks the buyer itself.

        Raises Unavailable: the provider cannot be reached, and nobody has seen its list lately.
        """
        if not payers.offers_banks(provider.capabilities.methods.get(PaymentMethod.BANK_TRANSFER)):
            return ()
        seen = self._recent(provider.name, FRESH)
        if seen is not None:
            return seen
        async with self._turns[provider.name]:
            # Whoever waited for the turn finds what the one before has brought.
            seen = self._recent(provider.name, FRESH)
            return seen if seen is not None else await self._load(provider)

    async def check(self, provider: PaymentProvider, code: str | None) -> None:
        """Raises RuleViolation for a bank that is not in the list. Without a list the provider decides."""
        try:
            banks = await self.of(provider)
        except Unavailable:
            return
        if code not in {bank.code for bank in banks}:
            wrong = FieldError("bankCode", "is not in the list of banks")
            raise RuleViolation("There is no such bank", code="bank_unknown", errors=[wrong])

    async def _load(self, provider: PaymentProvider) -> tuple[Bank, ...]:
        key = f"banks:{provider.name}"
        banks = _read(await self._cache.get(key))
        if banks is None:
            try:
                banks = await provider.banks()
            except _UNREACHABLE:
                stale = self._recent(provider.name, STALE)
                if stale is not None:
                    return stale
                raise Unavailable(
                    "The list of banks cannot be had right now", code="banks_unavailable", retry_after=5
                ) from None
            if banks:
                await self._cache.set(key, [[bank.code, bank.name] for bank in banks], ttl=int(FRESH.total_seconds()))
        self._seen[provider.name] = _Seen(banks, self._clock.now())
        return banks

    def _recent(self, name: str, age: timedelta) -> tuple[Bank, ...] | None:
        seen = self._seen.get(name)
        return seen.banks if seen is not None and self._clock.now() - seen.at < age else None


def _read(value: Any) -> tuple[Bank, ...] | None:
    """What another process has put there; None where it cannot be read."""
    try:
        return tuple(Bank(str(code), str(name)) for code, name in value) if value else None
    except (TypeError, ValueError):
        return None
