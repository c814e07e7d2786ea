"""Reconciliations as JSON."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from kernel import Currency, Money
from pydantic import Field, StringConstraints

from payments.reconciliation.models import Difference, Kind, RunStatus


class CreateReconciliation(RequestModel):
    """day: of UTC, and over."""

    provider: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")] = Field(examples=["conekta"])
    day: date = Field(ge=date(2020, 1, 1), le=date(2100, 1, 1))


class RunView(ResponseModel):
    """ours, theirs: payments compared. failure: why the provider could not be asked; a PENDING run is tried again.

    finds_extra: False where the provider does not list its payments, so that only ours could be compared.
    """

    id: UUID
    provider: str
    day: date
    origin: str
    status: RunStatus
    ours: int
    theirs: int
    finds_extra: bool
    failure: str | None
    created_at: UtcDatetime
    finished_at: UtcDatetime | None


class DifferenceView(ResponseModel):
    """fields: of amount, status, refunded, duplicate, payment. our_status, our_amount: before the repair."""

    id: UUID
    kind: Kind
    payment_id: UUID | None
    provider_ref: str
    fields: list[str]
    our_status: str | None
    their_status: str | None
    our_amount: str | None
    their_amount: str | None
    currency: Currency
    repaired: bool

    @classmethod
    def of(cls, found: Difference) -> Self:
        amounts = [
            None if amount is None else str(Money.of(amount, found.currency))
            for amount in (found.our_amount, found.their_amount)
        ]
        return cls(
            id=found.id,
            kind=Kind(found.kind),
            payment_id=found.payment_id,
            provider_ref=found.provider_ref,
            fields=found.fields.split(","),
            our_status=found.our_status,
            their_status=found.their_status,
            our_amount=amounts[0],
            their_amount=amounts[1],
            currency=Currency(found.currency),
            repaired=found.repaired,
        )


class RunDetail(RunView):
    """differences: the first thousand."""

    differences: list[DifferenceView]
