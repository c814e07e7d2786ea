"""Whether a notification comes from the provider of a business's own account: payments tells, who holds the secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from chassis.rpc.client import call
from contracts.payments.v1 import payments_pb2
from psp.provider import WebhookEvent, WebhookReceiver, WebhookRequest

if TYPE_CHECKING:
    from contracts.payments.v1.payments_pb2_grpc import PaymentAccountsStub

_TIMEOUT: Final = 5.0  # seconds; providers wait for longer
_NUL: Final = "\x00"
_Response = payments_pb2.VerifyWebhookResponse


class Outcome(StrEnum):
    """Of a refusal, as the metric has it."""

    NOT_CONFIGURED = "not_configured"
    FORGED = "forged"
    MALFORMED = "malformed"


_REFUSALS: Final = {
    _Response.OUTCOME_FORGED: Outcome.FORGED,
    _Response.OUTCOME_MALFORMED: Outcome.MALFORMED,
}


@dataclass(frozen=True, slots=True)
class Verified:
    event: WebhookEvent
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    outcome: Outcome
    reason: str


class AccountVerifier:
    def __init__(self, payments: PaymentAccountsStub) -> None:
        self._payments = payments

    async def verify(self, receiver: WebhookReceiver, account_key: str, request: WebhookRequest) -> Verified | Refused:
        """Raises Unavailable while payments cannot be asked."""
        asked = payments_pb2.VerifyWebhookRequest(
            provider=receiver.name,
            account_key=account_key,
            body=request.body,
            headers=_proving(receiver, request.headers.items()),
            query=_proving(receiver, request.query),
        )
        told = await call("payments", self._payments.VerifyWebhook(asked, timeout=_TIMEOUT))
        if told.outcome != _Response.OUTCOME_VERIFIED:
            return Refused(_REFUSALS.get(told.outcome, Outcome.NOT_CONFIGURED), told.reason)
        # PostgreSQL cannot hold it, and no provider sends it.
        if _NUL in f"{told.event_id}{told.event_type}{told.provider_ref}{told.our_reference}":
            return Refused(Outcome.MALFORMED, "zero_byte")
        event = WebhookEvent(
            provider=receiver.name,
            # An owner knows the secret of their own account, and must not spend the identity of another one's event.
            event_id=f"{told.account_id}:{told.event_id}",
            event_type=told.event_type,
            provider_ref=told.provider_ref if told.HasField("provider_ref") else None,
            our_reference=told.our_reference if told.HasField("our_reference") else None,
            occurred_at=datetime.fromtimestamp(told.occurred_at_ms / 1000, UTC),
        )
        return Verified(event, UUID(told.account_id))


def _proving(receiver: WebhookReceiver, sent: Iterable[tuple[str, str]]) -> Iterator[payments_pb2.NamedValue]:
    """Nothing else of what a caller sent is anybody's business."""
    return (
        payments_pb2.NamedValue(name=name, value=value) for name, value in sent if name.lower() in receiver.evidence
    )
