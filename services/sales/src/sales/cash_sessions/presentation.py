"""Sessions and their ledger as their callers see them."""

from __future__ import annotations

from collections.abc import Sequence

from kernel import Currency

from sales.cash_sessions.models import CashEntry, CashSession, CashTotal
from sales.cash_sessions.schemas import ApprovalOut, EntryOut, MovementOut, SessionOut, TotalOut, exceptions_out
from sales.cash_sessions.status import EntryKind, MovementType, SessionStatus


def is_blind(session: CashSession, *, owner: bool) -> bool:
    """Whether what should lie in the drawer is kept from this caller: an employee counts it first."""
    return not owner and session.status == SessionStatus.OPEN


def present(session: CashSession, *, owner: bool, totals: Sequence[CashTotal] | None = None) -> SessionOut:
    blind = is_blind(session, owner=owner)
    difference = session.difference
    return SessionOut(
        id=session.id,
        business_id=session.business_id,
        branch_id=session.branch_id,
        cash_register_id=session.register_id,
        cash_register_name=session.register_name,
        status=SessionStatus(session.status),
        currency=session.currency,
        business_day=session.business_day,
        time_zone=session.time_zone,
        opened_at=session.opened_at,
        opened_by=session.opened_by,
        opening_cash=session.text(session.opening_cash),
        opening_denominations=session.opening_count,
        expected_cash=None if blind else session.text(session.expected),
        closed_at=session.closed_at,
        closed_by=session.closed_by,
        closing_cash=None if session.closing_cash is None else session.text(session.closing_cash),
        closing_denominations=session.closing_count,
        difference=None if difference is None else session.text(difference),
        late_cash=session.text(session.late_cash),
        adjusted_difference=None if difference is None else session.text(difference - session.late_cash),
        tolerance=None if session.tolerance is None else session.text(session.tolerance),
        needs_approval=session.needs_approval,
        approvals=[ApprovalOut.model_validate(item) for item in session.approvals],
        exceptions=exceptions_out(session.exceptions),
        notes=session.notes,
        totals=None if blind or totals is None else [_total(session, item) for item in totals],
    )


def present_entry(session: CashSession, entry: CashEntry) -> EntryOut:
    return EntryOut(
        id=entry.id,
        position=entry.position,
        kind=EntryKind(entry.kind),
        method=entry.method,
        amount=session.text(entry.amount),
        balance=session.text(entry.balance),
        late=entry.late,
        reference=entry.reference,
        reason=entry.reason,
        created_by=entry.created_by,
        created_at=entry.created_at,
    )


def present_movement(entry: CashEntry, currency: str) -> MovementOut:
    return MovementOut(
        id=entry.id,
        cash_register_id=entry.register_id,
        session_id=entry.session_id,
        type=MovementType(entry.kind),
        amount=f"{abs(entry.amount):.{Currency(currency).exponent}f}",
        reason=entry.reason or "",
        created_by=entry.created_by,
        created_at=entry.created_at,
    )


def _total(session: CashSession, total: CashTotal) -> TotalOut:
    return TotalOut(
        kind=EntryKind(total.kind),
        method=total.method,
        cashier=total.created_by,
        late=total.late,
        amount=session.text(total.amount),
        count=total.count,
    )
