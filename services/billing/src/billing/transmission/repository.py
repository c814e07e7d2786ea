"""Queries of documents on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus
from billing.transmission.states import CANCEL_PENDING, CANCEL_REQUESTED, PREPARED, sources_of

_FISCAL = Invoice.kind != InvoiceKind.RECEIPT.value
_OPEN = and_(Invoice.status == InvoiceStatus.PENDING.value, _FISCAL)
_CANCELING = Invoice.fiscal_state.in_([CANCEL_REQUESTED, CANCEL_PENDING])


async def take_due(
    session: AsyncSession, *, now: datetime, until: datetime, worker: UUID, limit: int
) -> Sequence[Invoice]:
    """Documents due for a step, taken by `worker` until `until`. What another worker holds is skipped."""
    due = (
        select(Invoice.id)
        .where(or_(_OPEN, _CANCELING), Invoice.next_attempt_at <= now)
        .order_by(Invoice.next_attempt_at, Invoice.id)
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


async def find(session: AsyncSession, invoice_id: UUID) -> Invoice | None:
    return await session.get(Invoice, invoice_id)


async def move(
    session: AsyncSession, invoice_id: UUID, worker: UUID, target: str | None, values: Mapping[str, Any]
) -> Invoice | None:
    """To `target`, by whoever holds the document. None when the lease was lost, or it is not there any more."""
    sources = sources_of(target)
    allowed: ColumnElement[bool] = Invoice.fiscal_state.in_([source for source in sources if source is not None])
    if None in sources:
        allowed = or_(allowed, Invoice.fiscal_state.is_(None))
    return await _held(session, invoice_id, worker, {"fiscal_state": target, **values}, allowed)


async def keep(session: AsyncSession, invoice_id: UUID, worker: UUID, values: Mapping[str, Any]) -> Invoice | None:
    """Change what is known of a document this worker holds. None when the lease was lost."""
    return await _held(session, invoice_id, worker, values)


async def settle(
    session: AsyncSession, invoice_id: UUID, worker: UUID, target: InvoiceStatus, values: Mapping[str, Any]
) -> Invoice | None:
    changed = {"status": target.value, "worker": None, "version": Invoice.version + 1, **values}
    return await _held(session, invoice_id, worker, changed)


async def waits_behind(session: AsyncSession, invoice: Invoice) -> bool:
    """Whether an earlier document of the series waits for the authority to come back."""
    statement = select(Invoice.id).where(_queue_of(invoice), Invoice.number < invoice.number)
    return (await session.execute(statement.limit(1))).first() is not None


async def next_in_queue(session: AsyncSession, invoice: Invoice, now: datetime) -> None:
    """Make the first that waits in the series due, unless somebody has it in hand."""
    first = (
        select(Invoice.id)
        .where(_queue_of(invoice), Invoice.id != invoice.id)
        .order_by(Invoice.number)
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        update(Invoice)
        .where(Invoice.id == first, Invoice.worker.is_(None))
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


async def request_cancel(
    session: AsyncSession, invoice_id: UUID, now: datetime, values: Mapping[str, Any]
) -> Invoice | None:
    """None where the document is not accepted, or is being canceled already."""
    statement = (
        update(Invoice)
        .where(
            Invoice.id == invoice_id,
            Invoice.status == InvoiceStatus.ISSUED.value,
            Invoice.fiscal_state.in_([source for source in sources_of(CANCEL_REQUESTED) if source]),
        )
        .values(
            fiscal_state=CANCEL_REQUESTED,
            next_attempt_at=now,
            worker=None,
            attempts=0,
            failure_reason=None,
            version=Invoice.version + 1,
            **values,
        )
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def cancel_origin(session: AsyncSession, note: Invoice, now: datetime, state: str) -> Invoice | None:
    """The document that an accepted credit note took back as a whole."""
    statement = (
        update(Invoice)
        .where(
            Invoice.id == note.origin_id,
            Invoice.status == InvoiceStatus.ISSUED.value,
            Invoice.fiscal_state.in_([source for source in sources_of(state) if source]),
        )
        .values(status=InvoiceStatus.CANCELED.value, fiscal_state=state, canceled_at=now, version=Invoice.version + 1)
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def waiting(session: AsyncSession) -> Sequence[tuple[str, int, datetime]]:
    """By state (`new` without one): how many fiscal documents are under way, and since when the oldest."""
    state = func.coalesce(Invoice.fiscal_state, "new")
    statement = select(state, func.count(), func.min(Invoice.created_at)).where(or_(_OPEN, _CANCELING)).group_by(state)
    return [(name, int(count), oldest) for name, count, oldest in await session.execute(statement)]


def _queue_of(invoice: Invoice) -> ColumnElement[bool]:
    return and_(
        Invoice.business_id == invoice.business_id,
        Invoice.series == invoice.series,
        Invoice.contingency_since.is_not(None),
        Invoice.status == InvoiceStatus.PENDING.value,
        Invoice.fiscal_state == PREPARED,
    )


async def _held(
    session: AsyncSession, invoice_id: UUID, worker: UUID, values: Mapping[str, Any], *conditions: ColumnElement[bool]
) -> Invoice | None:
    statement = (
        update(Invoice)
        .where(Invoice.id == invoice_id, Invoice.worker == worker, or_(_OPEN, _CANCELING), *conditions)
        .values(**values)
        .returning(Invoice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()
