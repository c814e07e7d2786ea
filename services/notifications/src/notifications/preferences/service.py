"""Use cases of preferences."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import Database, UnitOfWork
from chassis.localization import Language

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.preferences import repository


@dataclass(frozen=True, slots=True)
class Preferences:
    language: Language = Language.ES
    channels: frozenset[Channel] = frozenset(Channel)


async def of_business(database: Database, business_id: UUID) -> Preferences:
    async with database.read() as session:
        found = await repository.find(session, business_id)
    if found is None:
        return Preferences()
    wanted = {Channel.SMS: found.sms, Channel.EMAIL: found.email}
    return Preferences(Language(found.language), frozenset(channel for channel in wanted if wanted[channel]))


async def get(ctx: NotificationsContext, caller: Principal, business_id: UUID) -> Preferences:
    await ctx.access.require(caller, business_id, Permission.READ)
    return await of_business(ctx.database, business_id)


async def replace(ctx: NotificationsContext, caller: Principal, business_id: UUID, wanted: Preferences) -> None:
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> None:
        await repository.replace(
            unit.session,
            business_id,
            language=wanted.language,
            sms=Channel.SMS in wanted.channels,
            email=Channel.EMAIL in wanted.channels,
            now=ctx.clock.now(),
        )

    await ctx.database.run(work)
