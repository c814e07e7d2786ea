"""Use cases of preferences: a business's, and a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import Database, UnitOfWork
from chassis.localization import Language

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.messages.classes import EventClass
from notifications.preferences import repository
from notifications.preferences.branding import COBRO, Branding
from notifications.preferences.quiet import QuietHours


@dataclass(frozen=True, slots=True)
class Preferences:
    """quiet: begin and end on the business's own clock. branding: None for Cobro's."""

    language: Language = Language.ES
    channels: frozenset[Channel] = frozenset(Channel)
    quiet: tuple[time, time] | None = None
    branding: Branding | None = None

    @property
    def look(self) -> Branding:
        return self.branding or COBRO

    def quiet_in(self, zone: str) -> QuietHours | None:
        return None if self.quiet is None else QuietHours(*self.quiet, zone)


@dataclass(frozen=True, slots=True)
class PersonalPreferences:
    muted: frozenset[tuple[EventClass, Channel]] = frozenset()
    quiet: QuietHours | None = None

    def wants(self, kind: EventClass, channel: Channel) -> bool:
        return kind.mandatory or (kind, channel) not in self.muted


async def of_business(database: Database, business_id: UUID) -> Preferences:
    async with database.read() as session:
        found = await repository.find(session, business_id)
    if found is None:
        return Preferences()
    wanted = {Channel.SMS: found.sms, Channel.EMAIL: found.email, Channel.PUSH: found.push}
    quiet = None
    if found.quiet_from is not None and found.quiet_until is not None:
        quiet = (found.quiet_from, found.quiet_until)
    branded = found.color or found.logo_url
    return Preferences(
        Language(found.language),
        frozenset(channel for channel in wanted if wanted[channel]),
        quiet,
        Branding(found.color or COBRO.color, found.logo_url or "") if branded else None,
    )


async def get(ctx: NotificationsContext, caller: Principal, business_id: UUID) -> Preferences:
    await ctx.access.require(caller, business_id, Permission.READ)
    return await of_business(ctx.database, business_id)


async def replace(ctx: NotificationsContext, caller: Principal, business_id: UUID, wanted: Preferences) -> None:
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    begin, end = wanted.quiet or (None, None)
    values = {
        "language": wanted.language.value,
        "sms": Channel.SMS in wanted.channels,
        "email": Channel.EMAIL in wanted.channels,
        "push": Channel.PUSH in wanted.channels,
        "quiet_from": begin,
        "quiet_until": end,
        "color": wanted.branding.color if wanted.branding else None,
        "logo_url": wanted.branding.logo_url or None if wanted.branding else None,
        "updated_at": ctx.clock.now(),
    }

    async def work(unit: UnitOfWork) -> None:
        await repository.replace(unit.session, business_id, values)

    await ctx.database.run(work)


async def of_user(database: Database, user_id: UUID) -> PersonalPreferences:
    """In the scope of that user."""
    async with database.read() as session:
        found = await repository.find_personal(session, user_id)
    if found is None:
        return PersonalPreferences()
    quiet = None
    if found.quiet_from is not None and found.quiet_until is not None and found.time_zone is not None:
        quiet = QuietHours(found.quiet_from, found.quiet_until, found.time_zone)
    muted = (item.partition(":") for item in found.muted)
    return PersonalPreferences(frozenset((EventClass(kind), Channel(channel)) for kind, _, channel in muted), quiet)


async def replace_own(ctx: NotificationsContext, caller: Principal, wanted: PersonalPreferences) -> None:
    quiet = wanted.quiet
    values = {
        "muted": sorted(f"{kind.value}:{channel.value}" for kind, channel in wanted.muted),
        "quiet_from": quiet.begin if quiet else None,
        "quiet_until": quiet.end if quiet else None,
        "time_zone": quiet.zone if quiet else None,
        "updated_at": ctx.clock.now(),
    }

    async def work(unit: UnitOfWork) -> None:
        await repository.replace_personal(unit.session, caller.user_id, values)

    await ctx.database.run(work)
