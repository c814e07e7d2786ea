"""A week in figures, as an event: nothing of a person is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from contracts.events import MoneyAmount
from contracts.events.analytics import ReportDay, ReportProduct, ReportWeeklyReady
from kernel import Money, new_id

from analytics.figures import average, total
from analytics.measures import Measures
from analytics.report import Coverage
from analytics.top_products.schemas import Ranking
from analytics.top_products.service import best

_PRODUCTS: Final = 5
_WEEK: Final = timedelta(days=7)


def weekly_ready(
    covered: Coverage,
    *,
    figures: Measures,
    days: Sequence[Any],
    hours: Sequence[Any],
    products: Sequence[Any],
    cash_difference: Decimal | None,
) -> ReportWeeklyReady | None:
    """None of two weeks without a sale. days: by day of this week and the one before; the rest of this week."""
    business, period = covered.scope.business, covered.period
    currency = business.currency
    by_day = {row.day: row for row in days}
    week = [period.first + timedelta(days=number) for number in range(7)]
    this, before = ([by_day[day] for day in dates if day in by_day] for dates in (week, [day - _WEEK for day in week]))
    if not by_day:
        return None
    sales, revenue = sum(row.number for row in this), Measures.sum(this, "amount")
    by_hour = {hour: sum(row.number for row in hours if row.hour == hour) for hour in range(24)}

    def money(value: Decimal | None) -> MoneyAmount:
        return MoneyAmount.of(Money.of(total(value, currency), currency))

    def of_day(row: Any) -> Decimal:
        return Decimal(0) if row is None else Decimal(row.amount)

    return ReportWeeklyReady(
        aggregate_id=new_id(),
        aggregate_version=1,
        business_id=business.id,
        first=period.first,
        last=period.last,
        time_zone=business.time_zone,
        sales=sales,
        previous_sales=sum(row.number for row in before),
        revenue=money(revenue),
        previous_revenue=money(Measures.sum(before, "amount")),
        average_ticket=money(average(total(revenue, currency), sales, currency)),
        refunds=money(figures.figure("refund").amount),
        cash_difference=money(cash_difference),
        days=[
            ReportDay(
                day=day,
                sales=by_day[day].number if day in by_day else 0,
                revenue=money(of_day(by_day.get(day))),
                previous=money(of_day(by_day.get(day - _WEEK))),
            )
            for day in week
        ],
        products=[
            ReportProduct(name=row.name, units=row.sold, revenue=money(row.revenue))
            for row in best([row for row in products if row.sold], Ranking.REVENUE)[:_PRODUCTS]
        ],
        busiest_hour=max(by_hour, key=lambda hour: (by_hour[hour], -hour)) if sales else None,
    )
