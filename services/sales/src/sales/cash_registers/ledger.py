"""What a sale does to the drawer. Each function works inside the sale's own transaction, and does nothing the second
time it is told the same.

Call the `enter_…` functions last: they lock the session's row until the transaction ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.database import UnitOfWork
from kernel import Money
from sqlalchemy import or_, select

from sales.cash_registers import errors
from sales.cash_registers.models import CashRegister
from sales.cash_sessions.entries import Entered, Entry, enter
from sales.cash_sessions.models import CashSession
from sales.cash_sessions.status import CASH, EntryKind, SessionStatus


class DrawerSale(Protocol):
    """What the drawer needs to know of a sale. created_by: the cashier."""

    @property
    def id(self) -> UUID: ...
    @property
    def business_id(self) -> UUID: ...
    @property
    def branch_id(self) -> UUID: ...
    @property
    def created_by(self) -> UUID: ...
    @property
    def cash_session_id(self) -> UUID | None: ...


async def session_for(
    unit: UnitOfWork,
    *,
    business_id: UUID,
    branch_id: UUID,
    register_id: UUID | None,
    sold_at: datetime | None = None,
) -> UUID | None:
    """The session a sale belongs to: the open one of this register; where none is named, the branch's only open one,
    else None.

    sold_at: of a sale that a till sends later. It belongs to the session that was open then, closed meanwhile or not
    (its entries then come late), and is never refused for a drawer that is closed.

    Raises NotFound (cash_register_not_found), RuleViolation (cash_register_of_another_branch), and without sold_at
    Conflict (cash_register_closed) for a register that is not open.
    """
    if register_id is not None:
        await _check_register(unit, business_id, branch_id, register_id, deleted_since=sold_at is not None)
    of_business = CashSession.business_id == business_id, CashSession.branch_id == branch_id
    sessions = select(CashSession.id).where(*of_business).order_by(CashSession.opened_at.desc()).limit(2)
    if register_id is not None:
        sessions = sessions.where(CashSession.register_id == register_id)
    if sold_at is not None:
        then = CashSession.opened_at <= sold_at, or_(CashSession.closed_at > sold_at, CashSession.closed_at.is_(None))
        found = (await unit.session.execute(sessions.where(*then))).scalars().all()
    else:
        is_open = CashSession.status == SessionStatus.OPEN
        found = (await unit.session.execute(sessions.where(is_open))).scalars().all()
        if register_id is not None and not found:
            raise errors.register_closed()
    return found[0] if len(found) == 1 else None


async def enter_sale(unit: UnitOfWork, *, sale: DrawerSale, amount: Money, method: str = CASH) -> Entered | None:
    """This part of the sale has been paid. Cash lies in the drawer now; another method is counted beside it, as
    information. None where the sale belongs to no drawer, or this was entered before."""
    if sale.cash_session_id is None:
        return None
    return await enter(
        unit,
        Entry(
            session_id=sale.cash_session_id,
            business_id=sale.business_id,
            kind=EntryKind.SALE,
            method=method,
            amount=amount.decimal,
            reference=sale.id,
            created_by=sale.created_by,
        ),
    )


async def enter_refund(
    unit: UnitOfWork,
    *,
    sale: DrawerSale,
    refund_id: UUID,
    amount: Money,
    method: str = CASH,
    session_id: UUID | None = None,
    refunded_by: UUID | None = None,
) -> Entered | None:
    """This much (positive) has been given back. session_id: the drawer it was taken out of, which for a sale of an
    earlier day is not the sale's own; the sale's where none is named. refunded_by: who did, the cashier of the sale
    where nobody is named. None where there is no drawer, or this was entered before."""
    drawer = session_id or sale.cash_session_id
    if drawer is None:
        return None
    return await enter(
        unit,
        Entry(
            session_id=drawer,
            business_id=sale.business_id,
            kind=EntryKind.REFUND,
            method=method,
            amount=-amount.decimal,
            reference=refund_id,
            created_by=refunded_by or sale.created_by,
        ),
    )


async def refund_session_for(unit: UnitOfWork, *, sale: DrawerSale, register_id: UUID | None = None) -> UUID | None:
    """The drawer that cash of this sale is given back from: of the register named, else of the sale's own register if
    that is open, else the branch's only open one. None for a sale that was never in a drawer, when none is open.

    Raises what `session_for` raises, and Conflict (cash_register_closed) where the cash went into a drawer, and none
    can be told to give it back.
    """
    if register_id is not None or sale.cash_session_id is None:
        return await session_for(unit, business_id=sale.business_id, branch_id=sale.branch_id, register_id=register_id)
    own = select(CashSession.register_id).where(CashSession.id == sale.cash_session_id)
    reopened = select(CashSession.id).where(CashSession.register_id.in_(own), CashSession.status == SessionStatus.OPEN)
    found = (await unit.session.execute(reopened)).scalar_one_or_none()
    if found is None:
        found = await session_for(unit, business_id=sale.business_id, branch_id=sale.branch_id, register_id=None)
    if found is None:
        raise errors.register_closed()
    return found


async def _check_register(
    unit: UnitOfWork, business_id: UUID, branch_id: UUID, register_id: UUID, *, deleted_since: bool
) -> None:
    query = select(CashRegister.branch_id).where(
        CashRegister.id == register_id, CashRegister.business_id == business_id
    )
    if not deleted_since:
        query = query.where(CashRegister.deleted_at.is_(None))
    stands_in = (await unit.session.execute(query)).scalar_one_or_none()
    if stands_in is None:
        raise errors.register_not_found()
    if stands_in != branch_id:
        raise errors.register_of_another_branch()
