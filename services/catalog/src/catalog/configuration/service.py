"""The use cases of a catalogue's settings."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork

from catalog.configuration import errors, repository
from catalog.configuration.schemas import SettingsOut, SettingsReplace
from catalog.context import CatalogContext


async def get_settings(ctx: CatalogContext, caller: Principal, business_id: UUID) -> SettingsOut:
    """Raises NotFound (business), Forbidden."""
    await ctx.access.require(caller, business_id, Permission.READ)
    async with ctx.database.read() as session:
        allowed = await repository.allows_negative(session, business_id)
    return SettingsOut(business_id=business_id, allow_negative_stock=allowed)


async def replace_settings(
    ctx: CatalogContext, caller: Principal, business_id: UUID, request: SettingsReplace
) -> SettingsOut:
    """The settings and every level that repeats them, in one transaction.

    Raises NotFound (business), Forbidden, RuleViolation (stock_is_negative).
    """
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    await ctx.directory.business(business_id)
    allowed = request.allow_negative_stock

    async def work(unit: UnitOfWork) -> None:
        await repository.store(unit.session, business_id, allowed, unit.clock.now())
        below = await repository.lock_levels(unit.session, business_id, allowed)
        if below and not allowed:
            raise errors.stock_is_negative(below)
        await repository.tell_levels(unit.session, business_id, allowed)

    await ctx.database.run(work)
    return SettingsOut(business_id=business_id, allow_negative_stock=allowed)
