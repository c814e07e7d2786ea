"""Queries of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, and_, case, false, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from billing.invoices.models import FISCAL_OF_SALE, Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus, sources_of
from billing.numbering.models import NumberSeries


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """branches: what the caller may see, by business; None within it stands for all of its branches, and None for
    everything of everyone."""

    branches: Mapping[UUID, frozenset[UUID] | None] | None
    sale_id: UUID | None = None
    status: InvoiceStatus | None = None


async def add_ticket(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Insert a sale's fiscal document, which gets its number when it is prepared. False: the sale has a document."""
    added = await session.execute(
        insert(Invoice)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[Invoice.business_id, Invoice.sale_id])
        .returning(Invoice.id)
    )
    return added.first() is not None


async def add_invoice(session: AsyncSession, values: Mapping[str, Any]) -> Invoice | None:
    """Insert a document that was asked for. None: another one stands for the sale."""
    keys = [Invoice.business_id, Invoice.for_sale_id]
    added = await session.execute(
        insert(Invoice)
        .values(**values)
        .on_conflict_do_nothing(index_elements=keys, index_where=FISCAL_OF_SALE)
        .returning(Invoice)
    )
    return added.scalar_one_or_none()


async def name_the_buyer(session: AsyncSession, sale_id: UUID, values: Mapping[str, Any]) -> Invoice | None:
    """Make the sale's ticket an invoice, where it has no number yet. Whoever prepares it has lost it then."""
    statement = (
        update(Invoice)
        .where(
            Invoice.for_sale_id == sale_id,
            Invoice.kind == InvoiceKind.TICKET.value,
            Invoice.number.is_(None),
            Invoice.fiscal_state.is_(None),
            Invoice.status.in_([InvoiceStatus.PENDING.value, InvoiceStatus.FAILED.value]),
        )
        .values(kind=InvoiceKind.INVOICE.value, worker=None, version=Invoice.version + 1, **values)
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def add_with_number(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Insert a document under a number of the locked series and move the series on to it. False: the sale has one."""
    added = await session.execute(
        insert(Invoice)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[Invoice.business_id, Invoice.sale_id])
        .returning(Invoice.id)
    )
    if added.first() is None:
        return False
    await session.execute(
        update(NumberSeries)
        .where(NumberSeries.business_id == values["business_id"], NumberSeries.series == values["series"])
        .values(last_number=values["number"])
    )
    return True


async def find(session: AsyncSession, invoice_id: UUID) -> Invoice | None:
    return await session.get(Invoice, invoice_id)


async def find_of_sale(session: AsyncSession, sale_id: UUID, business_id: UUID | None = None) -> Invoice | None:
    """The one document that every completed sale has: its receipt or ticket."""
    statement = select(Invoice).where(Invoice.sale_id == sale_id)
    if business_id is not None:
        statement = statement.where(Invoice.business_id == business_id)
    return (await session.execute(statement.limit(1))).scalar_one_or_none()


async def list_page(session: AsyncSession, wanted: InvoiceFilter, params: PageParams) -> Slice:
    statement: Select[Any] = select(Invoice)
    if wanted.branches is not None:
        allowed = [
            Invoice.business_id == business
            if branches is None
            else and_(Invoice.business_id == business, Invoice.branch_id.in_(branches))
            for business, branches in wanted.branches.items()
        ]
        statement = statement.where(or_(false(), *allowed))
    if wanted.sale_id is not None:
        # Rows of before there were several documents of a sale have no for_sale_id while old processes still write.
        of_sale = or_(Invoice.for_sale_id == wanted.sale_id, Invoice.sale_id == wanted.sale_id)
        statement = statement.where(of_sale)
    if wanted.status is not None:
        statement = statement.where(Invoice.status == wanted.status.value)
    return await fetch_page(session, statement, params, created_at=Invoice.created_at, id=Invoice.id)


async def take_due(
    session: AsyncSession, *, now: datetime, until: datetime, worker: UUID, limit: int
) -> Sequence[Invoice]:
    """Receipts due for a try, taken by `worker` until `until`. What another worker holds is skipped."""
    due = (
        select(Invoice.id)
        .where(
            Invoice.status == InvoiceStatus.PENDING.value,
            Invoice.next_attempt_at <= now,
            Invoice.kind == InvoiceKind.RECEIPT.value,
        )
        .order_by(Invoice.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Invoice)
        .where(Invoice.id.in_(due))
        .values(next_attempt_at=until, worker=worker, attempts=Invoice.attempts + 1)
        .returning(Invoice)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalars().all()


async def keep_content(session: AsyncSession, invoice_id: UUID, worker: UUID, content: str) -> bool:
    """Fix what is printed. False when the lease was lost."""
    return await _held(session, invoice_id, worker, {"content": content}) is not None


async def postpone(session: AsyncSession, invoice_id: UUID, worker: UUID, *, until: datetime, reason: str) -> bool:
    values = {"next_attempt_at": until, "worker": None, "failure_reason": reason}
    return await _held(session, invoice_id, worker, values) is not None


async def settle(
    session: AsyncSession, invoice_id: UUID, worker: UUID, target: InvoiceStatus, values: Mapping[str, Any]
) -> Invoice | None:
    """Move a document this worker holds to `target`. None when the lease was lost, or someone was faster."""
    assert InvoiceStatus.PENDING in sources_of(target)
    changed = {"status": target.value, "worker": None, "version": Invoice.version + 1, **values}
    return await _held(session, invoice_id, worker, changed)


async def note_motive(session: AsyncSession, invoice_id: UUID, motive: str) -> Invoice | None:
    statement = (
        update(Invoice)
        .where(Invoice.id == invoice_id)
        .values(cancel_motive=motive, version=Invoice.version + 1)
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def reopen(session: AsyncSession, invoice_id: UUID, now: datetime) -> Invoice | None:
    """Make a failed document pending, or a pending one due at once. None when it is neither."""
    sources = [source.value for source in (*sources_of(InvoiceStatus.PENDING), InvoiceStatus.PENDING)]
    failed = Invoice.status == InvoiceStatus.FAILED.value
    again = and_(failed, or_(Invoice.fiscal_state.is_(None), Invoice.fiscal_state.in_(["rejected", "prepared"])))
    statement = (
        update(Invoice)
        .where(Invoice.id == invoice_id, Invoice.status.in_(sources))
        .values(
            status=InvoiceStatus.PENDING.value,
            worker=None,
            attempts=0,
            next_attempt_at=now,
            failure_reason=None,
            failed_at=None,
            version=Invoice.version + 1,
            # What the authority refused, and what was never sent, is made anew, with what has been mended since.
            fiscal_state=case((again, None), else_=Invoice.fiscal_state),
            request=case((again, None), else_=Invoice.request),
            prepared=case((again, None), else_=Invoice.prepared),
            answer=case((again, None), else_=Invoice.answer),
        )
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def _held(session: AsyncSession, invoice_id: UUID, worker: UUID, values: Mapping[str, Any]) -> Invoice | None:
    statement = (
        update(Invoice)
        .where(Invoice.id == invoice_id, Invoice.worker == worker, Invoice.status == InvoiceStatus.PENDING.value)
        .values(**values)
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()
