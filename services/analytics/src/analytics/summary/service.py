"""The summary of some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.repository import by_measure
from analytics.context import AnalyticsContext
from analytics.figures import Figure, average, figure, total
from analytics.measures import Measures
from analytics.payments.figures import payments_of, tenders_of
from analytics.query import ReportQuery
from analytics.report import Coverage, coverage, produce
from analytics.summary import repository
from analytics.summary.schemas import CashFigures, InvoiceFigures, MethodFigures, StockFigures, Summary

_CREDIT_NOTE: Final = "CREDIT_NOTE"


async def summary(ctx: AnalyticsContext, caller: Principal, query: ReportQuery) -> Summary:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> Summary:
        return await _compute(session, covered, ctx.clock.now())

    return await produce(ctx, Summary, covered, compute, fresh=query.fresh)


async def _compute(session: AsyncSession, covered: Coverage, now: datetime) -> Summary:
    scope, period = covered.scope, covered.period
    currency = scope.business.currency
    found = Measures(await by_measure(session, covered), currency)
    cash = await repository.cash_differences(session, covered)
    sales = found.of("sale")
    count = sum(row.number for row in sales)
    revenue = total(found.sum(sales, "amount"), currency)
    refunds = found.figure("refund")
    tendered = total(found.sum(found.of("tender"), "amount"), currency)
    kinds = [(kind, found.figure("invoice", kind)) for kind, _ in found.pairs("invoice")]
    return Summary(
        business_id=scope.business.id,
        branch_id=scope.branch_id,
        first=period.first,
        last=period.last,
        time_zone=scope.business.time_zone,
        currency=currency,
        sales_count=count,
        revenue=revenue,
        tax=total(found.sum(sales, "tax"), currency),
        discount=total(found.sum(sales, "discount"), currency),
        average_ticket=average(revenue, count, currency),
        by_payment_method=[
            MethodFigures(method=row.key, sales_count=row.number, revenue=total(row.amount, currency)) for row in sales
        ],
        tenders=tenders_of(found),
        rounding=tendered - revenue,
        canceled_sales=found.figure("sale_canceled").count,
        refunds=refunds,
        net_revenue=revenue - refunds.amount,
        payments=payments_of(found, currency),
        invoices=_invoices([each for kind, each in kinds if kind != _CREDIT_NOTE], currency),
        invoices_by_kind=[InvoiceFigures(kind=kind, count=each.count, amount=each.amount) for kind, each in kinds],
        cash=CashFigures(closings=cash.number, difference=total(cash.difference, currency)),
        stock=StockFigures(
            units_sold=found.figure("units", detail="sold").count,
            units_returned=found.figure("units", detail="returned").count,
        ),
        generated_at=now,
    )


def _invoices(figures: Sequence[Figure], currency: Currency) -> Figure:
    return figure(sum(each.count for each in figures), sum((each.amount for each in figures), Decimal(0)), currency)
