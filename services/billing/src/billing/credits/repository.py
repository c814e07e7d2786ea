"""Queries of refunds and credit notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from billing.credits.models import SaleRefund
from billing.invoices.models import CREDIT_OF_REFUND, VOID, Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus


async def lock_sale(session: AsyncSession, sale_id: UUID) -> None:
    """A refund that arrives and a document that is accepted at the same time see each other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('credits'), hashtext(:id))"), {"id": str(sale_id)}
    )


async def add_refund(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    added = await session.execute(
        insert(SaleRefund).values(**values).on_conflict_do_nothing().returning(SaleRefund.refund_id)
    )
    return added.first() is not None


async def standing(session: AsyncSession, business_id: UUID, sale_id: UUID) -> Invoice | None:
    """The fiscal document that an authority has accepted for the sale and nobody has taken back."""
    statement = select(Invoice).where(
        Invoice.business_id == business_id,
        Invoice.for_sale_id == sale_id,
        Invoice.kind.in_([InvoiceKind.TICKET.value, InvoiceKind.INVOICE.value]),
        Invoice.status == InvoiceStatus.ISSUED.value,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def uncredited(session: AsyncSession, origin: Invoice) -> Sequence[SaleRefund]:
    """Refunds of the document's sale that no credit note of it stands for, oldest first."""
    credited = exists().where(Invoice.origin_id == origin.id, Invoice.refund_id == SaleRefund.refund_id)
    statement = (
        select(SaleRefund)
        .where(SaleRefund.business_id == origin.business_id, SaleRefund.sale_id == origin.for_sale_id, ~credited)
        .order_by(SaleRefund.refunded_at, SaleRefund.refund_id)
    )
    return (await session.execute(statement)).scalars().all()


async def credited(session: AsyncSession, origin_id: UUID) -> Decimal:
    """How much of a document its credit notes take back, those under way included."""
    statement = select(func.coalesce(func.sum(Invoice.total), 0)).where(
        Invoice.origin_id == origin_id, Invoice.status != InvoiceStatus.FAILED.value
    )
    return Decimal((await session.execute(statement)).scalar_one())


async def add_of_refund(session: AsyncSession, values: Mapping[str, Any]) -> Invoice | None:
    """None: the refund has its credit note."""
    keys = [Invoice.origin_id, Invoice.refund_id]
    added = await session.execute(
        insert(Invoice)
        .values(**values)
        .on_conflict_do_nothing(index_elements=keys, index_where=CREDIT_OF_REFUND)
        .returning(Invoice)
    )
    return added.scalar_one_or_none()


async def add_void(session: AsyncSession, values: Mapping[str, Any]) -> Invoice | None:
    """None: the document is being taken back already."""
    added = await session.execute(
        insert(Invoice)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[Invoice.origin_id], index_where=VOID)
        .returning(Invoice)
    )
    return added.scalar_one_or_none()
