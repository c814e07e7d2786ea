"""The report on drawers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.cash import repository
from analytics.cash.schemas import CashPoint, CashReport, CashTotals, RegisterCash
from analytics.context import AnalyticsContext
from analytics.figures import figure, total
from analytics.intervals import Interval, start_of, starts
from analytics.measures import Measures
from analytics.query import ReportQuery
from analytics.report import Coverage, Found, coverage, produce


async def cash(ctx: AnalyticsContext, caller: Principal, query: ReportQuery, interval: Interval) -> CashReport:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> CashReport:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        rows = await repository.closings(session, covered)
        by_start: defaultdict[date, list[Found]] = defaultdict(list)
        by_register: defaultdict[tuple[UUID, UUID], list[Found]] = defaultdict(list)
        for row in rows:
            by_start[start_of(row.day, interval)].append(row)
            by_register[row.register_id, row.branch_id].append(row)
        registers = [_register(found, currency) for found in by_register.values()]
        return CashReport(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            interval=interval,
            totals=CashTotals(**_totals(rows, currency)),
            by_register=sorted(registers, key=lambda each: (-abs(each.difference), str(each.register_id))),
            points=[
                CashPoint(date=start, **_totals(by_start[start], currency))
                for start in starts(period.first, period.last, interval)
            ],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, CashReport, covered, compute, fresh=query.fresh, variant=interval.value)


def _register(rows: Sequence[Found], currency: Currency) -> RegisterCash:
    latest = max(rows, key=lambda row: row.closed_at)
    return RegisterCash(
        register_id=latest.register_id, branch_id=latest.branch_id, name=latest.name, **_totals(rows, currency)
    )


def _totals(rows: Sequence[Found], currency: Currency) -> dict[str, Any]:
    """The fields of a CashTotals."""
    return {
        "closings": sum(row.number for row in rows),
        "expected": total(Measures.sum(rows, "expected"), currency),
        "counted": total(Measures.sum(rows, "counted"), currency),
        "difference": total(Measures.sum(rows, "difference"), currency),
        "short": figure(sum(row.short_number for row in rows), Measures.sum(rows, "short"), currency),
        "over": figure(sum(row.over_number for row in rows), Measures.sum(rows, "over"), currency),
        "needing_approval": sum(row.needing_approval for row in rows),
    }
