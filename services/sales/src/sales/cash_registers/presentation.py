"""A register as its callers see it."""

from __future__ import annotations

from sales.cash_registers.models import CashRegister
from sales.cash_registers.schemas import RegisterOut
from sales.cash_sessions import presentation
from sales.cash_sessions.models import CashSession
from sales.cash_sessions.status import SessionStatus


def present(register: CashRegister, session: CashSession | None, *, owner: bool) -> RegisterOut:
    """session: its present one, or its last."""
    shown = presentation.present(session, owner=owner) if session is not None else None
    return RegisterOut(
        id=register.id,
        business_id=register.business_id,
        branch_id=register.branch_id,
        name=register.name,
        currency=register.currency,
        status=shown.status if shown else SessionStatus.CLOSED,
        tolerance=str(register.money(register.tolerance)) if register.tolerance is not None else None,
        session_id=shown.id if shown else None,
        opened_at=shown.opened_at if shown else None,
        closed_at=shown.closed_at if shown else None,
        opening_cash=shown.opening_cash if shown else None,
        closing_cash=shown.closing_cash if shown else None,
        expected_cash=shown.expected_cash if shown else None,
        difference=shown.difference if shown else None,
        needs_approval=shown.needs_approval if shown else False,
        notes=shown.notes if shown else None,
        created_at=register.created_at,
        updated_at=register.updated_at,
    )
