"""A drawer's opening and closing as events, numbered by the register's version."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from contracts.events.base import MoneyAmount
from contracts.events.sales import CashRegisterClosed, CashRegisterOpened
from kernel import Currency

from sales.cash_sessions.models import CashSession


def opened(session: CashSession, version: int) -> CashRegisterOpened:
    return CashRegisterOpened(**_snapshot(session, version))


def closed(session: CashSession, version: int) -> CashRegisterClosed:
    assert session.closed_at is not None
    assert session.closed_by is not None
    assert session.closing_cash is not None
    assert session.difference is not None
    return CashRegisterClosed(
        **_snapshot(session, version),
        closed_at=session.closed_at,
        closed_by=session.closed_by,
        expected_cash=_amount(session, session.expected),
        closing_cash=_amount(session, session.closing_cash),
        difference=_amount(session, session.difference),
        needs_approval=session.needs_approval,
        exceptions=len(session.exceptions),
    )


def _snapshot(session: CashSession, version: int) -> dict[str, Any]:
    return {
        "aggregate_id": session.register_id,
        "aggregate_version": version,
        "business_id": session.business_id,
        "branch_id": session.branch_id,
        "cash_session_id": session.id,
        "register_name": session.register_name,
        "business_day": session.business_day,
        "time_zone": session.time_zone,
        "opening_cash": _amount(session, session.opening_cash),
        "opened_at": session.opened_at,
        "opened_by": session.opened_by,
    }


def _amount(session: CashSession, amount: Decimal) -> MoneyAmount:
    return MoneyAmount(amount=session.text(amount), currency=Currency(session.currency))
