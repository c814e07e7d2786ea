"""What every report does: whose figures, which days, from the cache or computed from one state of the facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, TypeVar

from chassis import tenancy
from chassis.auth import Principal
from kernel import NotFound
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.cached import SETTLED_TTL, epoch_of
from analytics.context import AnalyticsContext
from analytics.days import local_day
from analytics.period import Period
from analytics.query import ReportQuery
from analytics.scope import Scope, scope_of

# What a query gives, by the labels that its docstring names.
Found = Row[*tuple[Any, ...]]

ReportT = TypeVar("ReportT", bound=BaseModel)

MOVING_TTL: Final = 5
# Events may come late: yesterday still moves a little.
_MOVING_DAYS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The scope and the days of one report. moving: its figures may still change by the minute."""

    scope: Scope
    period: Period
    moving: bool


async def coverage(ctx: AnalyticsContext, caller: Principal, query: ReportQuery) -> Coverage:
    """Raises what scope_of and Period.of raise."""
    scope = await scope_of(ctx, caller, query.business_id, query.branch_id)
    today = local_day(ctx.clock.now(), scope.business.time_zone)
    period = Period.of(query.first, query.last, today=today)
    return Coverage(scope, period, moving=period.last >= today - _MOVING_DAYS)


async def produce(
    ctx: AnalyticsContext,
    kind: type[ReportT],
    covered: Coverage,
    compute: Callable[[AsyncSession, Coverage], Awaitable[ReportT]],
    *,
    fresh: bool,
    variant: str = "",
    now: bool = False,
) -> ReportT:
    """A report at most MOVING_TTL seconds old, SETTLED_TTL where its days are over and nothing of them came since;
    computed now when `fresh`.

    variant: what else tells this report from another of its kind, scope and days. now: it says what is, and not only
    what was on its days.
    """
    if not tenancy.current().covers(covered.scope.business.id):
        # Row-level security guards the facts; nothing else guards what Redis remembers of them.
        raise NotFound("Business not found", code="business_not_found")
    # Asked before computing: what is remembered under it is at least as new as it.
    key = _key(kind, covered, variant, await epoch_of(ctx.cache, covered.scope.business.id))
    cached = None if fresh else _parsed(kind, await ctx.cache.get(key))
    if cached is not None:
        return cached
    async with ctx.database.transaction() as unit:
        # One state of the facts for all of a report's queries.
        await unit.session.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        report = await compute(unit.session, covered)
    ttl = MOVING_TTL if covered.moving or now else SETTLED_TTL
    await ctx.cache.set(key, report.model_dump(mode="json", by_alias=True), ttl=ttl)
    return report


def _parsed(kind: type[ReportT], value: object) -> ReportT | None:
    try:
        return None if value is None else kind.model_validate(value)
    except ValidationError:  # left by another version of this code
        return None


def _key(kind: type[BaseModel], covered: Coverage, variant: str, epoch: str) -> str:
    """What an employee sees depends on their branches, which may be many; a day on the time zone."""
    scope, period = covered.scope, covered.period
    branches = "all" if scope.branches is None else ",".join(map(str, scope.branches))
    parts = (scope.business.time_zone, scope.business.currency, scope.branch_id, branches, variant, epoch)
    digest = sha256("|".join(map(str, parts)).encode()).hexdigest()[:32]
    return f"analytics:{kind.__name__}:{scope.business.id}:{period.first}:{period.last}:{digest}"
