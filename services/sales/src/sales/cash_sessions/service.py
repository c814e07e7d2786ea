"""Use cases of sessions: open, cash in and out, count and close, approve, look back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from chassis.telemetry.logs import get_logger
from kernel import Currency, InvalidInput, Money, MoneyError, new_id

from sales.cash_registers import errors as register_errors
from sales.cash_registers.models import CashRegister
from sales.cash_registers.service import locked, visible_register
from sales.cash_sessions import counting, errors, events, presentation, reckoning, repository
from sales.cash_sessions.entries import Entry, enter
from sales.cash_sessions.models import CashEntry, CashSession
from sales.cash_sessions.reckoning import Reckoning
from sales.cash_sessions.repository import SessionFilter
from sales.cash_sessions.schemas import (
    ApproveIn,
    CloseIn,
    EntryOut,
    MovementIn,
    MovementOut,
    OpenIn,
    SessionOut,
)
from sales.cash_sessions.status import CASH, EntryKind, MovementType, SessionStatus
from sales.context import SalesContext
from sales.devices import repository as devices
from sales.sales.errors import branch_inactive, business_inactive
from sales.z_reports.document import frozen

log = get_logger(__name__)

_MOST_TILLS = 50
"""Of which a closing tells that sales are missing."""


async def open_register(
    ctx: SalesContext, caller: Principal, scope: IdempotencyScope, register_id: UUID, body: OpenIn
) -> Answer:
    """A session that begins with what lies in the drawer now. Raises Conflict (cash_register_open), RuleViolation
    (branch_inactive, business_inactive), InvalidInput."""
    seen = await visible_register(ctx, caller, register_id, Permission.OPERATE)
    register = seen.register
    business = await ctx.directory.business(register.business_id)
    branch = await ctx.directory.branch(register.business_id, register.branch_id)
    if not business.is_active:
        raise business_inactive()
    if not branch.is_active:
        raise branch_inactive()
    amount, pieces = _count(body.opening_cash, body.denominations, register.currency, "openingCash")

    async def work(unit: UnitOfWork) -> Data[SessionOut]:
        current = await locked(unit, register_id)
        if await repository.open_id(unit.session, register_id) is not None:
            raise register_errors.register_open()
        now = unit.clock.now()
        session = CashSession(
            id=new_id(),
            business_id=current.business_id,
            branch_id=current.branch_id,
            register_id=current.id,
            register_name=current.name,
            branch_name=branch.name,
            business_name=business.name,
            country=business.country.value,
            currency=current.currency,
            time_zone=business.time_zone,
            business_day=reckoning.business_day(now, business.time_zone),
            status=SessionStatus.OPEN,
            opened_at=now,
            opened_by=caller.user_id,
            opening_cash=amount,
            opening_count=pieces,
            expected=Decimal(0),
            late_cash=Decimal(0),
            lowest=Decimal(0),
            entries=0,
            exceptions=[],
            approvals=[],
            needs_approval=False,
        )
        unit.session.add(session)
        await unit.session.flush()
        await enter(
            unit,
            Entry(session.id, session.business_id, EntryKind.OPENING, amount, session.id, caller.user_id),
        )
        await unit.session.refresh(session)
        _turned(current, unit, session.id)
        unit.publish(events.opened(session, current.version))
        return Data(data=presentation.present(session, owner=seen.owner))

    return await ctx.idempotency.run(scope, work)


async def close_register(
    ctx: SalesContext, caller: Principal, scope: IdempotencyScope, register_id: UUID, body: CloseIn
) -> Answer:
    """Count the drawer and end its session, whatever is odd about it: that becomes an exception of the session.

    The work is the same after ten sales and after a hundred thousand. Raises Conflict (cash_register_closed),
    InvalidInput.
    """
    seen = await visible_register(ctx, caller, register_id, Permission.OPERATE)
    amount, pieces = _count(body.closing_cash, body.denominations, seen.register.currency, "closingCash")

    async def work(unit: UnitOfWork) -> Data[SessionOut]:
        register = await locked(unit, register_id)
        session = await repository.lock_open(unit, register_id)
        if session is None:
            raise register_errors.register_closed()
        tolerance = register.tolerance
        if tolerance is None:
            tolerance = ctx.settings.cash_tolerances[Currency(session.currency)]
        found = Reckoning(expected=session.expected, counted=amount, tolerance=tolerance)
        pending = await repository.pending_sales(unit.session, session.id)
        exponent = Currency(session.currency).exponent
        gaps = await devices.with_gaps(unit.session, session.id, _MOST_TILLS)
        oddities = reckoning.oddities_of(
            found,
            lowest=session.lowest,
            pending_sales=pending,
            exponent=exponent,
            missing_sales={row.name: int(row.missing) for row in gaps},
        )

        session.status = SessionStatus.CLOSED
        session.closed_at = unit.clock.now()
        session.closed_by = caller.user_id
        session.closing_cash, session.closing_count = amount, pieces
        session.difference, session.tolerance = found.difference, tolerance
        session.needs_approval = found.needs_approval
        session.notes = body.notes or None
        session.exceptions = [oddity.stored() for oddity in oddities]
        totals = await repository.totals(unit.session, session.id)
        session.report = frozen(session, totals)
        _write_closing(unit, session)
        _turned(register, unit, session.id)
        unit.publish(events.closed(session, register.version))
        return Data(data=presentation.present(session, owner=seen.owner, totals=totals))

    return await ctx.idempotency.run(scope, work, status=200)


async def approve(
    ctx: SalesContext,
    caller: Principal,
    scope: IdempotencyScope,
    register_id: UUID,
    session_id: UUID,
    body: ApproveIn,
) -> Answer:
    """The owner has seen the difference and lets it be. Raises Conflict (cash_session_needs_no_approval)."""
    await visible_register(ctx, caller, register_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> Data[SessionOut]:
        session = await repository.lock(unit, register_id, session_id)
        if session is None:
            raise errors.session_not_found()
        if not session.needs_approval:
            raise errors.nothing_to_approve()
        difference = (session.difference or Decimal(0)) - session.late_cash
        approval = {
            "by": str(caller.user_id),
            "at": unit.clock.now().isoformat(),
            "note": body.note or None,
            "difference": session.text(difference),
        }
        session.needs_approval = False
        session.approvals = [*session.approvals, approval]
        await unit.session.flush()
        totals = await repository.totals(unit.session, session.id)
        return Data(data=presentation.present(session, owner=True, totals=totals))

    return await ctx.idempotency.run(scope, work, status=200)


async def move(
    ctx: SalesContext, caller: Principal, scope: IdempotencyScope, register_id: UUID, body: MovementIn
) -> Answer:
    """Cash put in or taken out by hand. Raises Conflict (cash_register_closed), RuleViolation (insufficient_cash),
    InvalidInput."""
    seen = await visible_register(ctx, caller, register_id, Permission.OPERATE)
    amount, _ = _count(body.amount, None, seen.register.currency, "amount")
    if not amount:
        raise InvalidInput.field("amount", "must be above zero")
    out = body.type is MovementType.OUT

    async def work(unit: UnitOfWork) -> Data[MovementOut]:
        session = await repository.lock_open(unit, register_id)
        if session is None:
            raise register_errors.register_closed()
        entry = Entry(
            session.id,
            session.business_id,
            EntryKind(body.type.value),
            -amount if out else amount,
            new_id(),
            caller.user_id,
            reason=body.reason,
            floor=Decimal(0) if out else None,
        )
        entered = await enter(unit, entry)
        if entered is None:
            # Whoever tries amounts until one is refused would know what to count.
            log.warning("cash.insufficient", session_id=str(session.id), user_id=str(caller.user_id))
            raise errors.insufficient_cash()
        return Data(
            data=MovementOut(
                id=entered.id,
                cash_register_id=register_id,
                session_id=session.id,
                type=body.type,
                amount=session.text(amount),
                reason=body.reason,
                created_by=caller.user_id,
                created_at=unit.clock.now(),
            )
        )

    return await ctx.idempotency.run(scope, work)


async def movements(
    ctx: SalesContext,
    caller: Principal,
    register_id: UUID,
    paging: PageParams,
    *,
    kind: MovementType | None,
    session_id: UUID | None,
) -> Page[MovementOut]:
    seen = await visible_register(ctx, caller, register_id)
    async with ctx.database.read() as session:
        found = await repository.movements(session, register_id, paging, kind=kind, session_id=session_id)
    return as_page(found, lambda row: presentation.present_movement(row.CashEntry, seen.register.currency))


async def find(
    ctx: SalesContext, caller: Principal, register_id: UUID, chosen: SessionFilter, paging: PageParams
) -> Page[SessionOut]:
    seen = await visible_register(ctx, caller, register_id)
    async with ctx.database.read() as session:
        found = await repository.page(session, register_id, chosen, paging)
    return as_page(found, lambda row: presentation.present(row.CashSession, owner=seen.owner))


async def get(ctx: SalesContext, caller: Principal, register_id: UUID, session_id: UUID) -> SessionOut:
    """With its totals. Raises NotFound."""
    seen = await visible_register(ctx, caller, register_id)
    async with ctx.database.read() as session:
        found = await repository.find(session, register_id, session_id)
        if found is None:
            raise errors.session_not_found()
        totals = await repository.totals(session, session_id)
    return presentation.present(found, owner=seen.owner, totals=totals)


async def entries(
    ctx: SalesContext, caller: Principal, register_id: UUID, session_id: UUID, paging: PageParams
) -> Page[EntryOut]:
    """The ledger. Raises NotFound, and Forbidden (count_is_blind) to an employee while the session is open."""
    seen = await visible_register(ctx, caller, register_id)
    async with ctx.database.read() as session:
        found = await repository.find(session, register_id, session_id)
        if found is None:
            raise errors.session_not_found()
        if presentation.is_blind(found, owner=seen.owner):
            raise errors.count_is_blind()
        page = await repository.entries(session, session_id, paging)
    return as_page(page, lambda row: presentation.present_entry(found, row.CashEntry))


def _turned(register: CashRegister, unit: UnitOfWork, session_id: UUID) -> None:
    """One more of the register's events."""
    register.session_id = session_id
    register.version += 1
    register.updated_at = unit.clock.now()


def _write_closing(unit: UnitOfWork, session: CashSession) -> None:
    """The ledger's last line before anything late: what counting found over or under what was expected."""
    assert session.closed_at is not None
    assert session.closed_by is not None
    assert session.closing_cash is not None
    assert session.difference is not None
    session.entries += 1
    unit.session.add(
        CashEntry(
            id=new_id(),
            business_id=session.business_id,
            branch_id=session.branch_id,
            register_id=session.register_id,
            session_id=session.id,
            position=session.entries,
            kind=EntryKind.CLOSING,
            method=CASH,
            amount=session.difference,
            balance=session.closing_cash,
            late=False,
            reference=session.id,
            created_by=session.closed_by,
            created_at=session.closed_at,
        )
    )


def _count(
    amount: Decimal | None, pieces: Mapping[str, int] | None, currency: str, field: str
) -> tuple[Decimal, dict[str, int] | None]:
    """What was counted, as a sum, and by face value where it was counted so. Raises InvalidInput."""
    if pieces is not None:
        counted, ordered = counting.counted(pieces, Currency(currency), "denominations")
        return counted.decimal, ordered
    assert amount is not None
    try:
        money = Money.of(amount, currency)
    except MoneyError as error:
        raise InvalidInput.field(field, str(error)) from None
    return counting.declared(money, field).decimal, None
