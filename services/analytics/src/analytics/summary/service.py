"""The summary of some days, computed from the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.context import AnalyticsContext
from analytics.figures import Figure, average, figure, total
from analytics.query import ReportQuery
from analytics.report import Coverage, Found, coverage, produce
from analytics.summary import repository
from analytics.summary.schemas import (
    FailureFigures,
    MethodFigures,
    PaymentFigures,
    PaymentFlow,
    ProviderFigures,
    StockFigures,
    Summary,
)


async def summary(ctx: AnalyticsContext, caller: Principal, query: ReportQuery) -> Summary:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> Summary:
        return await _compute(session, covered, ctx.clock.now())

    return await produce(ctx, Summary, covered, compute, fresh=query.fresh)


async def _compute(session: AsyncSession, covered: Coverage, now: datetime) -> Summary:
    scope, period = covered.scope, covered.period
    currency = scope.business.currency
    methods = await repository.sales_by_method(session, covered)
    refunds = await repository.refunds_by_provider(session, covered)
    stock = await repository.stock_of_sales(session, covered)
    invoices = await repository.invoices(session, covered)
    count = sum(row.number for row in methods)
    revenue = total(sum((row.revenue for row in methods), Decimal(0)), currency)
    return Summary(
        business_id=scope.business.id,
        branch_id=scope.branch_id,
        first=period.first,
        last=period.last,
        time_zone=scope.business.time_zone,
        currency=currency,
        sales_count=count,
        revenue=revenue,
        tax=total(sum((row.tax for row in methods), Decimal(0)), currency),
        discount=total(sum((row.discount for row in methods), Decimal(0)), currency),
        average_ticket=average(revenue, count, currency),
        by_payment_method=[
            MethodFigures(method=row.method, sales_count=row.number, revenue=total(row.revenue, currency))
            for row in methods
        ],
        canceled_sales=await repository.canceled_sales(session, covered),
        refunds=_sum(((row.of_sales_number, row.of_sales_amount) for row in refunds), currency),
        payments=_payments(
            await repository.payments_by_provider(session, covered),
            refunds,
            await repository.failures_by_reason(session, covered),
            currency,
        ),
        invoices=figure(invoices.number, invoices.amount, currency),
        stock=StockFigures(units_sold=stock.taken or 0, units_returned=stock.returned or 0),
        generated_at=now,
    )


def _payments(
    flows: Sequence[Found], refunds: Sequence[Found], failures: Sequence[Found], currency: Currency
) -> PaymentFigures:
    """A provider that only refunded in these days has a row too."""
    flow_of = {(row.provider, row.method): row for row in flows}
    refund_of = {(row.provider, row.method): row for row in refunds}
    by_provider = [
        ProviderFigures(
            provider=key[0],
            method=key[1],
            created=_of(flow_of.get(key), "created_", currency),
            confirmed=_of(flow_of.get(key), "confirmed_", currency),
            failed=_of(flow_of.get(key), "failed_", currency),
            refunded=_of(refund_of.get(key), "", currency),
        )
        for key in sorted(flow_of.keys() | refund_of.keys())
    ]
    return PaymentFigures(
        created=_sum(_pairs(by_provider, "created"), currency),
        confirmed=_sum(_pairs(by_provider, "confirmed"), currency),
        failed=_sum(_pairs(by_provider, "failed"), currency),
        refunded=_sum(_pairs(by_provider, "refunded"), currency),
        by_provider=by_provider,
        failure_reasons=[
            FailureFigures(reason=row.reason or "unknown", count=row.number, amount=total(row.amount, currency))
            for row in failures
        ],
    )


def _of(row: Found | None, prefix: str, currency: Currency) -> Figure:
    if row is None:
        return figure(0, None, currency)
    return figure(getattr(row, f"{prefix}number"), getattr(row, f"{prefix}amount"), currency)


def _pairs(rows: Sequence[PaymentFlow], name: str) -> Iterator[tuple[int, Decimal | None]]:
    for row in rows:
        measured: Figure = getattr(row, name)
        yield measured.count, measured.amount


def _sum(parts: Iterator[tuple[int, Decimal | None]], currency: Currency) -> Figure:
    counts, amounts = 0, Decimal(0)
    for count, amount in parts:
        counts += count
        amounts += amount or 0
    return figure(counts, amounts, currency)
