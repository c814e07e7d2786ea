"""Access tokens that no longer say what is true: of a removed employee, of a user with another role.

Such a change moves `sessions.valid_from` of everyone it concerns in its own transaction, and tells Redis after the
commit; the gateway and the services refuse the tokens issued up to then (`token_stale`), and the client refreshes.

A token keeps whole seconds, so two rules make "issued up to then" exact, whatever the clocks of two processes say: a
token is dated after its session's bound (`moment_of_issue`), and `sessions.used_at` keeps that date, which the next
bound never lies before. Log-ins and refreshes that are under way hold the user or the session: they end before the
change, and are bound by it, or begin after it, and see it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.tenancy import EVERYONE_SETTING, current, everyone
from sqlalchemy import text

from auth.context import AuthContext
from auth.sessions import repository
from auth.sessions.states import ENDED_SECONDS
from auth.users import repository as users

_AT_ONCE = 500
_SET_TENANTS = text("SELECT set_config('cobro.tenants', :tenants, true)")


def moment_of_issue(now: datetime, valid_from: datetime | None) -> datetime:
    """When a token that is issued now counts as issued: in a second that begins after the bound."""
    if valid_from is None:
        return now
    return max(now, valid_from.replace(microsecond=0) + timedelta(seconds=1))


async def outdate(unit: UnitOfWork, user_ids: Collection[UUID]) -> None:
    """Make every access token of these users stale, if and when the transaction commits. Then call `announce`."""
    if user_ids:
        async with _everyone_within(unit):
            await users.lock_all(unit.session, user_ids)
            await repository.outdate(unit.session, user_ids, unit.clock.now())


async def announce(ctx: AuthContext, user_ids: Collection[UUID] | None = None) -> None:
    """Tell Redis of ends and bounds it has not heard of: of these users, or of all. Does nothing when Redis is down; a
    job then tries again."""
    with everyone():
        await _announce(ctx, user_ids)


async def _announce(ctx: AuthContext, user_ids: Collection[UUID] | None) -> None:
    since = ctx.clock.now() - timedelta(seconds=ENDED_SECONDS)
    async with ctx.database.read() as session:
        waiting = await repository.unannounced(session, since=since, user_ids=user_ids, limit=_AT_ONCE)
    ended = [row.id for row in waiting if row.ended_at is not None]
    bounds = {row.id: row.valid_from for row in waiting if row.ended_at is None and row.valid_from is not None}
    told_ends = bool(ended) and await ctx.session_states.end(ended)
    told_bounds = bool(bounds) and await ctx.session_states.outdate(bounds)
    if not (told_ends or told_bounds):
        return

    async def work(unit: UnitOfWork) -> None:
        now = unit.clock.now()
        if told_ends:
            await repository.mark_announced(unit.session, ended, now)
        if told_bounds:
            await repository.mark_bounds_announced(unit.session, bounds, now)

    await ctx.database.run(work)


@asynccontextmanager
async def _everyone_within(unit: UnitOfWork) -> AsyncIterator[None]:
    """The accounts of others, in the middle of a transaction of one business. Ends with it when the block fails."""
    await unit.session.execute(_SET_TENANTS, {"tenants": EVERYONE_SETTING})
    yield
    await unit.session.execute(_SET_TENANTS, {"tenants": current().tenants_setting})
