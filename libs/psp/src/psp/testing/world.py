"""What a test module gives to ProviderContract: the adapter, and the hands to make things happen behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kernel import Clock

from psp.provider import PaymentMethod, PaymentProvider, WebhookRequest


@dataclass(frozen=True, slots=True)
class Tally:
    """What really happened at the provider for one reference."""

    payments: int
    charges: int
    refunds: int


class Verb(StrEnum):
    """A verb of the adapter, for whose deciding call at the provider something is to happen."""

    CREATE = "create"
    FETCH = "fetch"
    CANCEL = "cancel"
    REFUND = "refund"


class ProviderWorld(Protocol):
    """reference: our payment id. refundable_method: one whose payments this provider gives back through its API."""

    provider: PaymentProvider
    clock: Clock
    refundable_method: PaymentMethod

    async def pay(self, reference: str) -> None: ...

    async def decline(self, reference: str) -> None:
        """For good: the buyer cannot try again."""
        ...

    async def expire(self, reference: str) -> None: ...

    async def settle_refunds(self, reference: str) -> None:
        """The provider carries out the refunds it has accepted; nothing where it does so at once."""
        ...

    async def tally(self, reference: str) -> Tally: ...

    async def webhook(self, reference: str) -> WebhookRequest:
        """The last one sent about it."""
        ...

    async def webhook_again(self, reference: str) -> WebhookRequest:
        """The same one, sent once more."""
        ...

    async def next_takes_effect_unanswered(self, verb: Verb, reference: str) -> None: ...

    async def next_takes_effect_garbled(self, verb: Verb, reference: str) -> None: ...

    async def next_is_swallowed(self, verb: Verb, reference: str) -> None: ...

    async def next_fails(self, verb: Verb, reference: str) -> None: ...

    async def next_is_limited(self, verb: Verb, reference: str, retry_after: int) -> None: ...

    async def next_status_is_unlisted(self, reference: str) -> None: ...

    async def unreachable(self) -> PaymentProvider:
        """The same adapter with nobody at the other end."""
        ...
