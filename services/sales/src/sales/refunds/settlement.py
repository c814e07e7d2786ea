"""How a refund ends: what it does to its sale, the drawer and the books. Inside the caller's transaction, under the
locks of sale and refund, in that order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from chassis.database import UnitOfWork
from kernel.refunds import RefundPart
from prometheus_client import Counter

from sales.cash_registers import ledger
from sales.cash_sessions.status import CASH
from sales.refunds import events, reckoning
from sales.refunds.models import Refund
from sales.refunds.status import RefundStatus, RefundStep
from sales.sales import settlement as sales
from sales.sales.models import Sale
from sales.sales.status import PaymentNote, SaleStatus

refunds_total = Counter("cobro_sales_refunds_total", "Refunds of sales that reached their end", ["status"])


async def succeed(unit: UnitOfWork, sale: Sale, refund: Refund, lease: timedelta) -> None:
    """The money is back with the buyer, in cash and otherwise: said once, and never taken back. The goods are next."""
    now = unit.clock.now()
    refund.move(RefundStep.RESTOCKING if refund.returns_goods else RefundStep.DONE)
    await record(unit, sale, refund)
    refund.resume_at = now + lease if refund.step == RefundStep.RESTOCKING else None
    # Last of all: it locks the drawer, which is shared by many cashiers.
    if refund.cash_returned:
        await _enter(unit, sale, refund, CASH, refund.cash_returned)
    if refund.provider_amount and refund.cash_session_id is not None:
        await _enter(unit, sale, refund, sale.payment_method, refund.provider_amount)


async def _enter(unit: UnitOfWork, sale: Sale, refund: Refund, method: str, amount: Decimal) -> None:
    await ledger.enter_refund(
        unit,
        sale=sale,
        refund_id=refund.id,
        amount=sale.money(amount),
        method=method,
        session_id=refund.cash_session_id,
        refunded_by=refund.created_by,
    )


async def record(unit: UnitOfWork, sale: Sale, refund: Refund) -> None:
    """Count a refund that has succeeded in the sale's books, and tell of it."""
    now = unit.clock.now()
    refund.status = RefundStatus.SUCCEEDED
    refund.completed_at = refund.updated_at = now
    refund.resume_attempts = 0
    sale.refunded_amount += refund.amount
    units_left = any(item.quantity > item.refunded_quantity for item in sale.items)
    whole = sale.refunded_amount >= sale.total and (sale.total > 0 or not units_left)
    sale.status = SaleStatus.REFUNDED if whole else SaleStatus.PARTIALLY_REFUNDED
    sale.version += 1
    sale.updated_at = now
    unit.publish(events.refunded(sale, refund))
    refunds_total.labels(RefundStatus.SUCCEEDED.value).inc()


def fail(unit: UnitOfWork, sale: Sale, refund: Refund, reason: str) -> None:
    """The provider does not give its part back, and so nothing is given back: the books are as before, and the sale
    says that somebody should look."""
    now = unit.clock.now()
    refund.move(RefundStep.FAILED)
    refund.status = RefundStatus.FAILED
    refund.failure_reason = reason
    refund.updated_at = now
    refund.resume_at = None
    lines = {item.id: item for item in sale.items}
    parts = [
        (lines[item.sale_item_id], RefundPart(item.quantity, sale.money(item.amount), sale.money(item.tax)))
        for item in refund.items
    ]
    reckoning.release(sale, parts, refund.amount, refund.cash_amount, refund.cash_returned)
    sales.note(sale, PaymentNote.REFUND_FAILED)
    sale.version += 1
    sale.updated_at = now
    refunds_total.labels(RefundStatus.FAILED.value).inc()
