"""Opening credit notes, within the transaction of whatever brings them about."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel import Currency, Money, new_id
from sqlalchemy.ext.asyncio import AsyncSession

from billing.credits import repository
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind


async def open_credit_notes(session: AsyncSession, origin: Invoice, now: datetime) -> None:
    """For each refund of an accepted document that has none. Call it with the sale locked."""
    for refund in await repository.uncredited(session, origin):
        if refund.amount > 0:
            values = values_of_note(origin, now, refund.amount, refund.tax) | {"refund_id": refund.refund_id}
            await repository.add_of_refund(session, values)


async def open_void(session: AsyncSession, origin: Invoice, now: datetime, basis: str, note_id: UUID) -> Invoice | None:
    """A credit note over all that is left of a document. None: nothing is left, or one is under way. basis: sealed for
    the note of this id."""
    left = origin.total - await repository.credited(session, origin.id)
    if left <= 0:
        return None
    tax = Money.rounded(origin.tax * left / origin.total, Currency(origin.currency)).decimal
    return await repository.add_void(session, values_of_note(origin, now, left, tax) | {"id": note_id, "basis": basis})


def values_of_note(origin: Invoice, now: datetime, total: Decimal, tax: Decimal) -> dict[str, Any]:
    """The row of a credit note over so much of a document."""
    return {
        "id": new_id(),
        "business_id": origin.business_id,
        "branch_id": origin.branch_id,
        "for_sale_id": origin.for_sale_id,
        "origin_id": origin.id,
        "kind": InvoiceKind.CREDIT_NOTE.value,
        "currency": origin.currency,
        "subtotal": total - tax,
        "discount": Decimal(0),
        "tax": tax,
        "total": total,
        "time_zone": origin.time_zone,
        "sold_at": now,
        "created_at": now,
        "next_attempt_at": now,
    }
