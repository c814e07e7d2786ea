"""What an event says, as rows of facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from contracts.events import DomainEvent
from contracts.events.billing import InvoiceIssued
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated, StockChanged
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed, PaymentRefunded
from contracts.events.sales import CashRegisterClosed, SaleCanceled, SaleCompleted, SaleCreated, SaleRefunded

from analytics.base import Base
from analytics.days import local_day, local_hour
from analytics.facts.models import (
    CashSessionFact,
    InvoiceFact,
    PaymentFact,
    ProductFact,
    RefundFact,
    SaleFact,
    SaleLineFact,
    SalePartFact,
    SaleRefundFact,
    SaleRefundLineFact,
    SaleRefundPartFact,
    StockFact,
    StockLevelFact,
)

Row = tuple[type[Base], Mapping[str, Any]]
Translation = Callable[[Any, datetime], list[Row]]


def _sale(event: SaleCreated | SaleCompleted | SaleCanceled) -> dict[str, Any]:
    return {
        "id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "status": event.status,
        "payment_method": event.payment_method,
        "currency": event.total.currency.value,
        "subtotal": event.subtotal.money.decimal,
        "discount": event.discount.money.decimal,
        "tax": event.tax.money.decimal,
        "total": event.total.money.decimal,
        "time_zone": event.time_zone,
        "created_at": event.created_at,
        "created_day": local_day(event.created_at, event.time_zone),
    }


def _sale_created(event: SaleCreated, _: datetime) -> list[Row]:
    return [(SaleFact, _sale(event))]


def _sale_completed(event: SaleCompleted, _: datetime) -> list[Row]:
    day = local_day(event.completed_at, event.time_zone)
    sale = _sale(event) | {
        "completed_at": event.completed_at,
        "completed_day": day,
        "completed_hour": local_hour(event.completed_at, event.time_zone),
    }
    belongs = {
        "sale_id": event.aggregate_id,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "currency": event.total.currency.value,
        "completed_day": day,
    }
    lines: list[Row] = [
        (
            SaleLineFact,
            {
                **belongs,
                "line": number,
                "product_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "unit_price": item.unit_price.money.decimal,
                "discount": item.discount.money.decimal,
                "tax": item.tax.money.decimal,
                "total": item.total.money.decimal,
            },
        )
        for number, item in enumerate(event.items)
    ]
    paid = [(part.method, part.amount) for part in event.payments] or [(event.payment_method, event.total)]
    parts: list[Row] = [
        (SalePartFact, {**belongs, "part": number, "method": method, "amount": amount.money.decimal})
        for number, (method, amount) in enumerate(paid)
    ]
    return [(SaleFact, sale), *lines, *parts]


def _sale_refunded(event: SaleRefunded, _: datetime) -> list[Row]:
    """The refund alone: what the sale itself became, its other events say."""
    belongs = {
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "currency": event.amount.currency.value,
        "refunded_day": local_day(event.refunded_at, event.time_zone),
    }
    refund = {
        **belongs,
        "id": event.refund_id,
        "sale_id": event.aggregate_id,
        "amount": event.amount.money.decimal,
        "tax": event.refunded_tax.money.decimal,
        "refunded_at": event.refunded_at,
    }
    parts: list[Row] = [
        (
            SaleRefundPartFact,
            {
                **belongs,
                "refund_id": event.refund_id,
                "part": number,
                "method": part.method,
                "amount": part.amount.money.decimal,
            },
        )
        for number, part in enumerate(event.parts)
    ]
    lines: list[Row] = [
        (
            SaleRefundLineFact,
            {
                **belongs,
                "refund_id": event.refund_id,
                "line": number,
                "product_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "amount": item.amount.money.decimal,
                "restocked": item.restocked,
            },
        )
        for number, item in enumerate(event.items)
    ]
    return [(SaleRefundFact, refund), *parts, *lines]


def _sale_canceled(event: SaleCanceled, _: datetime) -> list[Row]:
    sale = _sale(event) | {
        "cancel_reason": event.reason,
        "canceled_at": event.canceled_at,
        "canceled_day": local_day(event.canceled_at, event.time_zone),
    }
    return [(SaleFact, sale)]


def _payment(event: PaymentCreated | PaymentConfirmed | PaymentFailed | PaymentRefunded) -> dict[str, Any]:
    return {
        "id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "sale_id": event.sale_id,
        "status": event.status,
        "method": event.method,
        "provider": event.provider,
        "currency": event.amount.currency.value,
        "amount": event.amount.money.decimal,
        "time_zone": event.time_zone,
        "created_at": event.created_at,
        "created_day": local_day(event.created_at, event.time_zone),
    }


def _payment_created(event: PaymentCreated, _: datetime) -> list[Row]:
    return [(PaymentFact, _payment(event))]


def _payment_confirmed(event: PaymentConfirmed, _: datetime) -> list[Row]:
    payment = _payment(event) | {
        "confirmed_at": event.confirmed_at,
        "confirmed_day": local_day(event.confirmed_at, event.time_zone),
    }
    return [(PaymentFact, payment)]


def _payment_failed(event: PaymentFailed, _: datetime) -> list[Row]:
    payment = _payment(event) | {
        "failure_reason": event.failure_reason,
        "failed_at": event.failed_at,
        "failed_day": local_day(event.failed_at, event.time_zone),
    }
    return [(PaymentFact, payment)]


def _payment_refunded(event: PaymentRefunded, _: datetime) -> list[Row]:
    refund = {
        "id": event.refund_id,
        "payment_id": event.aggregate_id,
        "business_id": event.business_id,
        "sale_id": event.sale_id,
        "method": event.method,
        "provider": event.provider,
        "currency": event.refund_amount.currency.value,
        "amount": event.refund_amount.money.decimal,
        "refunded_at": event.refunded_at,
        "refunded_day": local_day(event.refunded_at, event.time_zone),
    }
    return [(PaymentFact, _payment(event)), (RefundFact, refund)]


def _stock_changed(event: StockChanged, occurred_at: datetime) -> list[Row]:
    movement = {
        "stock_level_id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "product_id": event.product_id,
        "sale_id": event.sale_id,
        "movement_type": event.movement_type,
        "change": event.change,
        "on_hand": event.on_hand,
        "occurred_at": occurred_at,
    }
    level = {
        "id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "product_id": event.product_id,
        "on_hand": event.on_hand,
    }
    return [(StockFact, movement), (StockLevelFact, level)]


def _product(event: ProductCreated | ProductUpdated | ProductDeleted, _: datetime) -> list[Row]:
    product = {
        "id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "name": event.name,
        "sku": event.sku,
        "category": event.category,
        "currency": event.price.currency.value,
        "price": event.price.money.decimal,
        "cost": event.cost.money.decimal if event.cost else None,
        "is_deleted": isinstance(event, ProductDeleted),
    }
    return [(ProductFact, product)]


def _cash_register_closed(event: CashRegisterClosed, _: datetime) -> list[Row]:
    session = {
        "id": event.cash_session_id,
        "version": event.aggregate_version,
        "register_id": event.aggregate_id,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "register_name": event.register_name,
        "business_day": event.business_day,
        "currency": event.closing_cash.currency.value,
        "opening_cash": event.opening_cash.money.decimal,
        "expected_cash": event.expected_cash.money.decimal,
        "closing_cash": event.closing_cash.money.decimal,
        "difference": event.difference.money.decimal,
        "needs_approval": event.needs_approval,
        "opened_at": event.opened_at,
        "closed_at": event.closed_at,
    }
    return [(CashSessionFact, session)]


def _invoice_issued(event: InvoiceIssued, _: datetime) -> list[Row]:
    invoice = {
        "id": event.aggregate_id,
        "version": event.aggregate_version,
        "business_id": event.business_id,
        "branch_id": event.branch_id,
        "sale_id": event.sale_id,
        "kind": event.kind,
        "currency": event.total.currency.value,
        "total": event.total.money.decimal,
        "issued_at": event.issued_at,
        "issued_day": local_day(event.issued_at, event.time_zone),
    }
    return [(InvoiceFact, invoice)]


TRANSLATIONS: Mapping[type[DomainEvent], Translation] = {
    SaleCreated: _sale_created,
    SaleCompleted: _sale_completed,
    SaleCanceled: _sale_canceled,
    SaleRefunded: _sale_refunded,
    CashRegisterClosed: _cash_register_closed,
    PaymentCreated: _payment_created,
    PaymentConfirmed: _payment_confirmed,
    PaymentFailed: _payment_failed,
    PaymentRefunded: _payment_refunded,
    StockChanged: _stock_changed,
    ProductCreated: _product,
    ProductUpdated: _product,
    ProductDeleted: _product,
    InvoiceIssued: _invoice_issued,
}


def rows_of(event: DomainEvent, occurred_at: datetime) -> list[Row]:
    """The rows of an event, in the order in which they are written.

    Raises ValueError on an event that cannot be counted: no such time zone, a time without an offset, no money.
    """
    return TRANSLATIONS[type(event)](event, occurred_at)
