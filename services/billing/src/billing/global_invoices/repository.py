"""Queries of global invoices and of what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from billing.credits.models import SaleRefund
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus
from billing.profiles.models import FiscalProfile
from billing.transmission.states import ACCEPTED

_NAMED = (InvoiceKind.INVOICE.value, InvoiceKind.TICKET.value)
_STANDING = (InvoiceStatus.PENDING.value, InvoiceStatus.ISSUED.value)


async def automatic_profiles(session: AsyncSession, countries: Sequence[str]) -> Sequence[FiscalProfile]:
    statement = select(FiscalProfile).where(FiscalProfile.automatic_issue, FiscalProfile.country.in_(countries))
    return (await session.execute(statement)).scalars().all()


async def uncovered(
    session: AsyncSession, business_id: UUID, *, since: datetime, before: datetime, limit: int
) -> Sequence[Invoice]:
    """Receipts of sales before `before` that no document of the authority stands for and that were not all given back,
    oldest first."""
    document = aliased(Invoice)
    named = exists().where(
        document.business_id == business_id,
        document.for_sale_id == Invoice.sale_id,
        document.kind.in_(_NAMED),
        document.status.in_(_STANDING),
    )
    refunded = (
        select(func.coalesce(func.sum(SaleRefund.amount), 0))
        .where(SaleRefund.business_id == business_id, SaleRefund.sale_id == Invoice.sale_id)
        .scalar_subquery()
    )
    statement = (
        select(Invoice)
        .where(
            Invoice.business_id == business_id,
            Invoice.kind == InvoiceKind.RECEIPT.value,
            Invoice.status == InvoiceStatus.ISSUED.value,
            Invoice.global_id.is_(None),
            Invoice.created_at >= since,
            Invoice.sold_at < before,
            ~named,
            Invoice.total > refunded,
        )
        .order_by(Invoice.sold_at, Invoice.id)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def cover(session: AsyncSession, global_id: UUID, receipts: Sequence[Invoice]) -> Mapping[UUID, Decimal]:
    """Put the sales into the global invoice; returns what was given back of each until now, which it leaves out."""
    await session.execute(
        update(Invoice)
        .where(Invoice.id.in_([receipt.id for receipt in receipts]), Invoice.global_id.is_(None))
        .values(global_id=global_id)
        .execution_options(synchronize_session=False)
    )
    marked = await session.execute(
        update(SaleRefund)
        .where(
            SaleRefund.business_id == receipts[0].business_id,
            SaleRefund.sale_id.in_([receipt.sale_id for receipt in receipts]),
        )
        .values(global_id=global_id)
        .returning(SaleRefund.sale_id, SaleRefund.amount)
        .execution_options(synchronize_session=False)
    )
    found: dict[UUID, Decimal] = {}
    for sale_id, amount in marked:
        found[sale_id] = found.get(sale_id, Decimal(0)) + amount
    return found


async def sales_of(session: AsyncSession, global_id: UUID) -> Sequence[tuple[Invoice, Decimal]]:
    """The receipts a global invoice is made of, in their order, and what it leaves out of each."""
    refunded = (
        select(func.coalesce(func.sum(SaleRefund.amount), 0))
        .where(SaleRefund.global_id == global_id, SaleRefund.sale_id == Invoice.sale_id)
        .scalar_subquery()
    )
    statement = select(Invoice, refunded).where(Invoice.global_id == global_id).order_by(Invoice.sold_at, Invoice.id)
    return [(row[0], Decimal(row[1])) for row in await session.execute(statement)]


async def overtaken(session: AsyncSession, business_id: UUID) -> Sequence[UUID]:
    """Accepted global invoices with a sale that an accepted invoice stands for by now, and no credit note."""
    receipt, named, note = aliased(Invoice), aliased(Invoice), aliased(Invoice)
    doubled = exists().where(
        receipt.global_id == Invoice.id,
        named.business_id == business_id,
        named.for_sale_id == receipt.sale_id,
        named.kind == InvoiceKind.INVOICE.value,
        named.status == InvoiceStatus.ISSUED.value,
    )
    statement = select(Invoice.id).where(
        _accepted(business_id), doubled, ~exists().where(note.origin_id == Invoice.id, note.status.in_(_STANDING))
    )
    return (await session.execute(statement)).scalars().all()


async def release_canceled(session: AsyncSession, business_id: UUID) -> None:
    """The sales of canceled global invoices are to be documented anew."""
    canceled = select(Invoice.id).where(
        Invoice.business_id == business_id,
        Invoice.kind == InvoiceKind.GLOBAL.value,
        Invoice.status == InvoiceStatus.CANCELED.value,
    )
    for table in (Invoice, SaleRefund):
        await session.execute(
            update(table)
            .where(table.business_id == business_id, table.global_id.in_(canceled))
            .values(global_id=None)
            .execution_options(synchronize_session=False)
        )


async def refunds_to_credit(
    session: AsyncSession, business_id: UUID, limit: int
) -> Sequence[tuple[SaleRefund, Invoice]]:
    """Refunds that came after the accepted global invoice of their sale, without a credit note; and that invoice."""
    receipt, note, named = aliased(Invoice), aliased(Invoice), aliased(Invoice)
    statement = (
        select(SaleRefund, Invoice)
        .join(receipt, and_(receipt.business_id == business_id, receipt.sale_id == SaleRefund.sale_id))
        .join(Invoice, Invoice.id == receipt.global_id)
        .where(
            SaleRefund.business_id == business_id,
            SaleRefund.global_id.is_(None),
            SaleRefund.amount > 0,
            _accepted(business_id),
            ~exists().where(note.origin_id == Invoice.id, note.refund_id == SaleRefund.refund_id),
            ~exists().where(
                named.business_id == business_id,
                named.for_sale_id == SaleRefund.sale_id,
                named.kind.in_(_NAMED),
                named.status.in_(_STANDING),
            ),
        )
        .order_by(SaleRefund.refunded_at, SaleRefund.refund_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


def _accepted(business_id: UUID) -> ColumnElement[bool]:
    return and_(
        Invoice.business_id == business_id,
        Invoice.kind == InvoiceKind.GLOBAL.value,
        Invoice.status == InvoiceStatus.ISSUED.value,
        Invoice.fiscal_state == ACCEPTED,
    )
