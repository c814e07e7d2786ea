"""The use cases of payment methods."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from kernel import InvalidInput, NotFound, RuleViolation, new_id
from psp.provider import Bank, PaymentMethod

from payments.context import PaymentsContext
from payments.intents import drafts
from payments.methods import errors, repository
from payments.methods.models import Method
from payments.methods.schemas import MethodCreate, MethodReplace


async def check_creation(ctx: PaymentsContext, caller: Principal, body: MethodCreate) -> None:
    """Before the transaction of `create` begins, which has the scope of that moment: a business opened after the token
    must be in it by then. Raises NotFound (no such business), Forbidden, RuleViolation (not offered in the business's
    country)."""
    await ctx.access.require(caller, body.business_id, Permission.MANAGE)
    business = await ctx.directory.business(body.business_id)
    await drafts.provider_for(ctx, business, body.type)


async def create(ctx: PaymentsContext, unit: UnitOfWork, body: MethodCreate) -> Method:
    now = ctx.clock.now()
    method = Method(
        id=new_id(),
        business_id=body.business_id,
        type=body.type.value,
        name=body.name,
        description=body.description,
        key=secrets.token_urlsafe(16),
        is_active=body.is_active,
        created_at=now,
        updated_at=now,
    )
    await repository.add(unit.session, method)
    return method


async def banks_of(ctx: PaymentsContext, caller: Principal, business_id: UUID) -> tuple[Bank, ...]:
    """By name. Raises NotFound, Forbidden, Unavailable."""
    await ctx.access.require(caller, business_id, Permission.READ)
    business = await ctx.directory.business(business_id)
    try:
        chosen = await drafts.provider_for(ctx, business, PaymentMethod.BANK_TRANSFER)
    except RuleViolation:
        return ()
    return tuple(sorted(await ctx.banks.of(chosen.provider), key=lambda bank: bank.name))


async def method_for(
    ctx: PaymentsContext, caller: Principal, method_id: UUID, permission: Permission = Permission.READ
) -> Method:
    """Raises NotFound, the same for an absent one and for another tenant's; Forbidden."""

    async def find() -> Method:
        found = await repository.find(ctx.database, method_id)
        if found is None:
            raise errors.method_not_found()
        return found

    method = await ctx.access.find(caller, find)
    try:
        await ctx.access.require(caller, method.business_id, permission)
    except NotFound:
        raise errors.method_not_found() from None
    return method


async def replace(ctx: PaymentsContext, caller: Principal, method_id: UUID, body: MethodReplace) -> Method:
    """Raises NotFound, Forbidden, InvalidInput."""
    method = await method_for(ctx, caller, method_id, Permission.MANAGE)
    if body.business_id not in (None, method.business_id):
        raise InvalidInput.field("businessId", "cannot be changed")
    if body.type not in (None, method.kind):
        raise InvalidInput.field("type", "cannot be changed")
    return await _change(ctx, method, body.model_dump(exclude={"business_id", "type"}))


async def patch(ctx: PaymentsContext, caller: Principal, method_id: UUID, changes: Mapping[str, Any]) -> Method:
    """Raises NotFound, Forbidden."""
    method = await method_for(ctx, caller, method_id, Permission.MANAGE)
    return await _change(ctx, method, changes)


async def delete(ctx: PaymentsContext, caller: Principal, method_id: UUID) -> None:
    """Its page closes; payments that came by it stay. Raises NotFound, Forbidden."""
    method = await method_for(ctx, caller, method_id, Permission.MANAGE)
    await _change(ctx, method, {"deleted_at": ctx.clock.now()})


async def _change(ctx: PaymentsContext, method: Method, values: Mapping[str, Any]) -> Method:
    async def apply(unit: UnitOfWork) -> Method | None:
        return await repository.change(unit.session, method.id, dict(values), ctx.clock.now())

    changed = await ctx.database.run(apply)
    if changed is None:
        raise errors.method_not_found()
    return changed
