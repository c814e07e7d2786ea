"""The sums of a summary, each over one index's stretch of days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from analytics.days import instants
from analytics.facts.models import InvoiceFact, PaymentFact, RefundFact, SaleFact, StockFact
from analytics.report import Coverage, Found

_Statement = Select[*tuple[Any, ...]]


async def sales_by_method(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """method, number, revenue, tax, discount"""
    statement = (
        select(
            SaleFact.payment_method.label("method"),
            func.count().label("number"),
            func.sum(SaleFact.total).label("revenue"),
            func.sum(SaleFact.tax).label("tax"),
            func.sum(SaleFact.discount).label("discount"),
        )
        .where(
            *_belongs(SaleFact, covered), _within(SaleFact.completed_day, covered), *_at(SaleFact.branch_id, covered)
        )
        .group_by(SaleFact.payment_method)
        .order_by(SaleFact.payment_method)
    )
    return (await session.execute(statement)).all()


async def canceled_sales(session: AsyncSession, covered: Coverage) -> int:
    statement = select(func.count()).where(
        *_belongs(SaleFact, covered),
        _within(SaleFact.canceled_day, covered),
        SaleFact.completed_day.is_(None),
        *_at(SaleFact.branch_id, covered),
    )
    return (await session.execute(statement)).scalar_one()


async def payments_by_provider(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """provider, method, and (number, amount) of created, confirmed, failed"""
    measures = {
        "created": _within(PaymentFact.created_day, covered),
        "confirmed": _within(PaymentFact.confirmed_day, covered),
        "failed": and_(_within(PaymentFact.failed_day, covered), PaymentFact.status == "FAILED"),
    }
    columns: list[ColumnElement[Any]] = []
    for name, counted in measures.items():
        columns.append(func.count().filter(counted).label(f"{name}_number"))
        columns.append(func.sum(PaymentFact.amount).filter(counted).label(f"{name}_amount"))
    statement: _Statement = select(PaymentFact.provider, PaymentFact.method, *columns).where(
        *_belongs(PaymentFact, covered), or_(*measures.values())
    )
    statement = _of_branches(statement, PaymentFact.sale_id, covered)
    statement = statement.group_by(PaymentFact.provider, PaymentFact.method)
    return (await session.execute(statement)).all()


async def failures_by_reason(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """reason, number, amount; the commonest first"""
    statement: _Statement = select(
        PaymentFact.failure_reason.label("reason"),
        func.count().label("number"),
        func.sum(PaymentFact.amount).label("amount"),
    ).where(*_belongs(PaymentFact, covered), _within(PaymentFact.failed_day, covered), PaymentFact.status == "FAILED")
    statement = _of_branches(statement, PaymentFact.sale_id, covered)
    statement = statement.group_by(PaymentFact.failure_reason).order_by(func.count().desc(), PaymentFact.failure_reason)
    return (await session.execute(statement)).all()


async def refunds_by_provider(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """provider, method, number, amount, and of_sales_number, of_sales_amount: those on completed sales"""
    of_sale = SaleFact.completed_day.is_not(None)
    statement = (
        select(
            RefundFact.provider,
            RefundFact.method,
            func.count().label("number"),
            func.sum(RefundFact.amount).label("amount"),
            func.count().filter(of_sale).label("of_sales_number"),
            func.sum(RefundFact.amount).filter(of_sale).label("of_sales_amount"),
        )
        .outerjoin(SaleFact, and_(SaleFact.id == RefundFact.sale_id, SaleFact.business_id == RefundFact.business_id))
        .where(
            *_belongs(RefundFact, covered), _within(RefundFact.refunded_day, covered), *_at(SaleFact.branch_id, covered)
        )
        .group_by(RefundFact.provider, RefundFact.method)
    )
    return (await session.execute(statement)).all()


async def invoices(session: AsyncSession, covered: Coverage) -> Found:
    """number, amount"""
    statement = select(func.count().label("number"), func.sum(InvoiceFact.total).label("amount")).where(
        *_belongs(InvoiceFact, covered),
        _within(InvoiceFact.issued_day, covered),
        *_at(InvoiceFact.branch_id, covered),
    )
    return (await session.execute(statement)).one()


async def stock_of_sales(session: AsyncSession, covered: Coverage) -> Found:
    """taken, returned: units, NULL where there were none. A movement's event names no time zone, so the business's of
    today decides on its day."""
    start, end = instants(covered.period.first, covered.period.last, covered.scope.business.time_zone)
    statement = select(
        (-func.sum(StockFact.change).filter(StockFact.movement_type == "SALE")).label("taken"),
        func.sum(StockFact.change).filter(StockFact.movement_type == "RETURN").label("returned"),
    ).where(
        StockFact.business_id == covered.scope.business.id,
        StockFact.occurred_at >= start,
        StockFact.occurred_at < end,
        StockFact.sale_id.is_not(None),
        *_at(StockFact.branch_id, covered),
    )
    return (await session.execute(statement)).one()


def _belongs(
    fact: type[SaleFact] | type[PaymentFact] | type[RefundFact] | type[InvoiceFact], covered: Coverage
) -> tuple[ColumnElement[bool], ...]:
    """The business's, in its currency: another one's amounts must not be added."""
    business = covered.scope.business
    return fact.business_id == business.id, fact.currency == business.currency.value


def _within(day: InstrumentedAttribute[Any], covered: Coverage) -> ColumnElement[bool]:
    return day.between(covered.period.first, covered.period.last)


def _at(branch: InstrumentedAttribute[Any], covered: Coverage) -> tuple[ColumnElement[bool], ...]:
    return () if covered.scope.branches is None else (branch.in_(covered.scope.branches),)


def _of_branches(statement: _Statement, sale: InstrumentedAttribute[Any], covered: Coverage) -> _Statement:
    if covered.scope.branches is None:
        return statement
    belongs = and_(SaleFact.id == sale, SaleFact.business_id == covered.scope.business.id)
    return statement.join(SaleFact, belongs).where(*_at(SaleFact.branch_id, covered))
