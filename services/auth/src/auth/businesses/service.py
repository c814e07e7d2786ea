"""Opening, changing and closing businesses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from chassis import tenancy
from chassis.auth import Permission, Principal, Role
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from contracts.events.auth import BusinessCreated, BusinessDeleted, BusinessUpdated
from kernel import Country, new_id

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.branches import service as branches
from auth.businesses import errors, events, repository
from auth.businesses.models import Business
from auth.businesses.schemas import BusinessChange, BusinessRequest, BusinessResponse
from auth.businesses.tax_ids import normalize_tax_id
from auth.context import AuthContext
from auth.members import repository as members_repository
from auth.members import service as members
from auth.sealing import Changes, assign, reveal
from auth.sessions import staleness
from auth.users import repository as users
from auth.users.errors import user_gone


async def create(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, request: BusinessRequest) -> Answer:
    """A business whose owner is the caller. Their present token works for it: Access asks for what a token misses."""
    if caller.role not in {Role.MERCHANT, Role.ADMIN}:
        raise errors.not_a_merchant()
    values = _whole(request)
    business_id = new_id()
    # Theirs from its first row on.
    tenancy.admit([business_id])

    async def work(unit: UnitOfWork) -> Data[BusinessResponse]:
        owner = await users.hold(unit.session, caller.user_id)
        if owner is None:
            raise user_gone()
        business, created = _new(ctx, unit, business_id, owner.id, values)
        unit.session.add(business)
        await unit.session.flush()
        unit.publish(events.of(BusinessCreated, business))
        unit.session.add(members.ownership(ctx, unit, business, owner))
        _note(ctx, unit, caller, AuditAction.BUSINESS_CREATED, business, after=created.after)
        return Data(data=present(ctx, business))

    return await ctx.idempotency.run(scope, work)


async def list_page(ctx: AuthContext, caller: Principal, params: PageParams) -> Page[BusinessResponse]:
    """The caller's businesses; for an administrator, everybody's."""
    visible = await ctx.access.visible(caller, None)
    async with ctx.database.read() as session:
        result = await repository.page(session, params, among=visible)
    return as_page(result, lambda row: present(ctx, row.Business))


async def get(ctx: AuthContext, caller: Principal, business_id: UUID) -> BusinessResponse:
    await ctx.access.require(caller, business_id, Permission.READ)
    async with ctx.database.read() as session:
        business = await repository.find(session, business_id)
    if business is None:
        raise errors.business_not_found()
    return present(ctx, business)


async def replace(ctx: AuthContext, caller: Principal, business_id: UUID, request: BusinessRequest) -> BusinessResponse:
    return await _update(ctx, caller, business_id, request.model_dump() | {"time_zone": _time_zone(request)})


async def change(ctx: AuthContext, caller: Principal, business_id: UUID, request: BusinessChange) -> BusinessResponse:
    return await _update(ctx, caller, business_id, request.model_dump(exclude_unset=True))


async def delete(ctx: AuthContext, caller: Principal, business_id: UUID) -> None:
    """Close the business and its branches, for all its people at once. What was sold in it stays where it is."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> Collection[UUID]:
        business = await repository.lock(unit.session, business_id)
        if business is None:
            raise errors.business_not_found()
        await branches.delete_all(ctx, unit, caller, business_id)
        business.version += 1
        business.updated_at = business.deleted_at = unit.clock.now()
        unit.publish(events.of(BusinessDeleted, business))
        _note(ctx, unit, caller, AuditAction.BUSINESS_DELETED, business, before={"name": business.name})
        await unit.session.flush()
        belonging = await members_repository.user_ids(unit.session, business_id)
        await staleness.outdate(unit, belonging)
        return belonging

    await staleness.announce(ctx, await ctx.database.run(work))


def present(ctx: AuthContext, business: Business) -> BusinessResponse:
    fields = {name: reveal(ctx.cipher, business, name) for name in BusinessResponse.model_fields}
    return BusinessResponse.model_validate(fields)


async def _update(ctx: AuthContext, caller: Principal, business_id: UUID, values: dict[str, Any]) -> BusinessResponse:
    """Write the values that differ. Where none does, nothing happened, and nobody is told."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> BusinessResponse:
        business = await repository.lock(unit.session, business_id)
        if business is None:
            raise errors.business_not_found()
        country = Country(business.country)
        if values.get("country", country) is not country:
            raise errors.country_is_fixed()
        if changes := _write(ctx, business, _with_tax_id(values, country)):
            business.version += 1
            business.updated_at = unit.clock.now()
            unit.publish(events.of(BusinessUpdated, business))
            before, after = changes.before, changes.after
            _note(ctx, unit, caller, AuditAction.BUSINESS_CHANGED, business, before=before, after=after)
        return present(ctx, business)

    return await ctx.database.run(work)


def _whole(request: BusinessRequest) -> dict[str, Any]:
    values = request.model_dump() | {"time_zone": _time_zone(request)}
    return _with_tax_id(values, request.country)


def _time_zone(request: BusinessRequest) -> str:
    return request.time_zone or request.country.time_zone


def _with_tax_id(values: dict[str, Any], country: Country) -> dict[str, Any]:
    if values.get("tax_id") is None:
        return values
    try:
        return values | {"tax_id": normalize_tax_id(values["tax_id"], country)}
    except ValueError as error:
        raise errors.bad_tax_id(str(error)) from None


def _new(
    ctx: AuthContext, unit: UnitOfWork, business_id: UUID, owner_id: UUID, values: dict[str, Any]
) -> tuple[Business, Changes]:
    now = unit.clock.now()
    country: Country = values["country"]
    business = Business(
        id=business_id,
        owner_id=owner_id,
        currency=country.currency.value,
        version=1,
        created_at=now,
        updated_at=now,
    )
    return business, _write(ctx, business, values)


def _write(ctx: AuthContext, business: Business, values: dict[str, Any]) -> Changes:
    changes = assign(ctx.cipher, business, values)
    if "tax_id" in changes:
        business.tax_id_index = _tax_id_index(ctx, values["tax_id"])
    return changes


def _tax_id_index(ctx: AuthContext, tax_id: str | None) -> bytes | None:
    return None if tax_id is None else ctx.blind_index.of(tax_id, column="businesses.tax_id")


def _note(
    ctx: AuthContext,
    unit: UnitOfWork,
    actor: Principal,
    action: AuditAction,
    business: Business,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(
        ctx.cipher,
        unit,
        action,
        actor=actor,
        subject_id=business.id,
        business_id=business.id,
        before=before,
        after=after,
    )
