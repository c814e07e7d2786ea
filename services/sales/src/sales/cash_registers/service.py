"""Use cases of cash registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Membership, Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from kernel import Currency, InvalidInput, Money, MoneyError, NotFound, new_id
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from sales.cash_registers import errors, presentation, repository
from sales.cash_registers.models import CashRegister
from sales.cash_registers.schemas import RegisterIn, RegisterOut, RegisterPatch
from sales.cash_sessions import counting
from sales.cash_sessions import repository as sessions
from sales.cash_sessions.models import CashSession
from sales.cash_sessions.status import SessionStatus
from sales.context import SalesContext
from sales.sales.errors import branch_needed, business_inactive


@dataclass(frozen=True, slots=True)
class Seen:
    """A register that the caller may do something with, and its present or last session. owner: they are shown
    everything."""

    register: CashRegister
    session: CashSession | None
    owner: bool

    def present(self) -> RegisterOut:
        return presentation.present(self.register, self.session, owner=self.owner)


async def create(ctx: SalesContext, caller: Principal, scope: IdempotencyScope, body: RegisterIn) -> Answer:
    """Raises NotFound (business, branch), Forbidden, RuleViolation (branch_needed, business_inactive), Conflict
    (cash_register_name_taken)."""
    await ctx.access.require(caller, body.business_id, Permission.MANAGE, branch_id=body.branch_id)
    business = await ctx.directory.business(body.business_id)
    if not business.is_active:
        raise business_inactive()
    try:
        branch = await ctx.directory.branch(body.business_id, body.branch_id)
    except NotFound:
        if body.branch_id is None:
            raise branch_needed() from None
        raise
    tolerance = _tolerance(body.tolerance, business.currency)

    async def work(unit: UnitOfWork) -> Data[RegisterOut]:
        now = unit.clock.now()
        register = CashRegister(
            id=new_id(),
            business_id=business.id,
            branch_id=branch.id,
            name=body.name,
            currency=business.currency.value,
            tolerance=tolerance,
            created_by=caller.user_id,
            created_at=now,
            updated_at=now,
            version=0,
        )
        unit.session.add(register)
        await _flush(unit)
        return Data(data=presentation.present(register, None, owner=True))

    return await ctx.idempotency.run(scope, work)


async def find(
    ctx: SalesContext,
    caller: Principal,
    paging: PageParams,
    *,
    business_id: UUID | None,
    branch_id: UUID | None,
    status: SessionStatus | None,
) -> Page[RegisterOut]:
    """Newest first; an employee sees those of their branches."""
    visible = await ctx.access.visible_memberships(caller, business_id, branch_id=branch_id)
    async with ctx.database.read() as session:
        found = await repository.page(session, visible, paging, branch_id=branch_id, status=status)
    owned = _owned(visible)

    def shown(row: Row[Any]) -> RegisterOut:
        owner = owned is None or row.CashRegister.business_id in owned
        return presentation.present(row.CashRegister, row.CashSession, owner=owner)

    return as_page(found, shown)


async def visible_register(
    ctx: SalesContext, caller: Principal, register_id: UUID, permission: Permission = Permission.READ
) -> Seen:
    """Raises NotFound, the same for an absent register and for one of a business that is not the caller's; Forbidden,
    also for a branch that is not theirs."""

    async def look_up() -> Row[CashRegister, CashSession | None]:
        async with ctx.database.read() as session:
            found = await repository.find(session, register_id)
        if found is None:
            raise errors.register_not_found()
        return found

    register, session = await ctx.access.find(caller, look_up)
    try:
        membership = await ctx.access.require(caller, register.business_id, permission, branch_id=register.branch_id)
    except NotFound:
        raise errors.register_not_found() from None
    return Seen(register, session, membership.role is BusinessRole.OWNER)


async def change(ctx: SalesContext, caller: Principal, register_id: UUID, body: RegisterPatch) -> RegisterOut:
    """Raises NotFound, Forbidden, InvalidInput, Conflict (cash_register_name_taken). A session that is open keeps the
    name it began with, and is closed by the new tolerance."""
    seen = await visible_register(ctx, caller, register_id, Permission.MANAGE)
    values: dict[str, Any] = {}
    if "name" in body.model_fields_set:
        if body.name is None:
            raise InvalidInput.field("name", "cannot be null")
        values["name"] = body.name
    if "tolerance" in body.model_fields_set:
        values["tolerance"] = _tolerance(body.tolerance, Currency(seen.register.currency))

    async def work(unit: UnitOfWork) -> CashRegister:
        register = await locked(unit, register_id)
        for name, value in values.items():
            setattr(register, name, value)
        register.updated_at = unit.clock.now()
        await _flush(unit)
        return register

    register = await ctx.database.run(work)
    return presentation.present(register, seen.session, owner=True)


async def delete(ctx: SalesContext, caller: Principal, register_id: UUID) -> None:
    """It is no longer listed or opened; its history stays in the database. Raises NotFound, Forbidden, Conflict
    (cash_register_open)."""
    await visible_register(ctx, caller, register_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> None:
        register = await locked(unit, register_id)
        if await sessions.open_id(unit.session, register_id) is not None:
            raise errors.register_open()
        register.deleted_at = register.updated_at = unit.clock.now()

    await ctx.database.run(work)


async def locked(unit: UnitOfWork, register_id: UUID) -> CashRegister:
    """Nobody opens, closes, changes or deletes it until the transaction ends. Raises NotFound."""
    register = await repository.lock(unit, register_id)
    if register is None:
        raise errors.register_not_found()
    return register


def _owned(visible: Sequence[Membership] | None) -> frozenset[UUID] | None:
    if visible is None:
        return None
    return frozenset(item.business_id for item in visible if item.role is BusinessRole.OWNER)


def _tolerance(value: Decimal | None, currency: Currency) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Money.of(value, currency)
    except MoneyError as error:
        raise InvalidInput.field("tolerance", str(error)) from None
    return counting.declared(amount, "tolerance").decimal


async def _flush(unit: UnitOfWork) -> None:
    try:
        await unit.session.flush()
    except IntegrityError as error:
        if not errors.violated(error, "uq_cash_registers_branch_id_name"):
            raise
        raise errors.name_taken() from None
