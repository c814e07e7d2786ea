"""The analytics service, and a merchant whose events it hears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from analytics.app import MIGRATIONS, build
from analytics.settings import AnalyticsSettings
from chassis.auth import Principal
from chassis.directory import Business
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import DomainEvent, MoneyAmount
from contracts.events.billing import InvoiceIssued
from contracts.events.catalog import ProductCreated, StockChanged
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed, PaymentRefunded
from contracts.events.sales import (
    CashRegisterClosed,
    RefundedItem,
    SaleCanceled,
    SaleCompleted,
    SaleCreated,
    SaleItem,
    SalePart,
    SaleRefunded,
)
from kernel import Country, new_id

QUEUE = "analytics.facts"


@dataclass
class Merchant:
    """A business of its own for each test. Times are the test clock's unless given; it is noon in Mexico City."""

    service: ServiceUnderTest
    business: Business
    branch_id: UUID

    @property
    def now(self) -> datetime:
        return self.service.clock.now()

    @property
    def owner(self) -> Principal:
        return make_principal(owns=[self.business.id])

    def employee(self, *branches: UUID) -> Principal:
        return make_principal(works_at=[(self.business.id, branches)])

    async def hears(self, *events: DomainEvent) -> None:
        for event in events:
            await self.service.deliver(QUEUE, event)

    async def get(
        self,
        report: str = "summary",
        *,
        caller: Principal | None = None,
        accept: str = "application/json",
        **query: Any,
    ) -> Any:
        return await self.service.client.get(
            f"/api/v1/analytics/{report}",
            params={"businessId": str(self.business.id), **{name.rstrip("_"): str(v) for name, v in query.items()}},
            headers=self.service.as_(caller or self.owner, Accept=accept),
        )

    async def summary(self, **query: Any) -> Any:
        answer = await self.get(fresh="true", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def money(self, amount: str) -> MoneyAmount:
        return MoneyAmount(amount=amount, currency=self.business.currency)

    def sale(
        self,
        kind: type[DomainEvent],
        *,
        id: UUID | None = None,
        version: int = 1,
        at: datetime | None = None,
        total: str = "116.00",
        tax: str = "16.00",
        discount: str = "0.00",
        method: str = "CASH",
        branch_id: UUID | None = None,
        **changes: Any,
    ) -> Any:
        at = at or self.now
        status, own = {
            SaleCreated: ("PENDING_PAYMENT", {}),
            SaleCompleted: ("COMPLETED", {"completed_at": at, "items": [self._item(total, tax)]}),
            SaleCanceled: ("CANCELED", {"canceled_at": at, "reason": "payment_expired"}),
        }[kind]  # type: ignore[index]
        values = {
            "aggregate_id": id or new_id(),
            "aggregate_version": version,
            "business_id": self.business.id,
            "branch_id": branch_id or self.branch_id,
            "status": status,
            "payment_method": method,
            "transaction_id": None,
            "subtotal": self.money(total),
            "discount": self.money(discount),
            "tax": self.money(tax),
            "total": self.money(total),
            "time_zone": self.business.time_zone,
            "created_at": at,
            **own,  # type: ignore[dict-item]
        }
        return kind(**(values | changes))

    def _item(self, total: str, tax: str) -> SaleItem:
        return SaleItem(
            product_id=new_id(),
            name="Café de olla",
            quantity=2,
            unit_price=self.money("58.00"),
            discount=self.money("0"),
            tax=self.money(tax),
            total=self.money(total),
        )

    def payment(
        self,
        kind: type[DomainEvent],
        *,
        id: UUID | None = None,
        version: int = 1,
        at: datetime | None = None,
        amount: str = "116.00",
        refund: str = "116.00",
        refund_id: UUID | None = None,
        sale_id: UUID | None = None,
        **changes: Any,
    ) -> Any:
        at = at or self.now
        status, own = {
            PaymentCreated: ("PENDING", {"expires_at": at + timedelta(minutes=15)}),
            PaymentConfirmed: ("CONFIRMED", {"confirmed_at": at}),
            PaymentFailed: ("FAILED", {"failed_at": at, "failure_reason": "expired"}),
            PaymentRefunded: (
                "REFUNDED",
                {
                    "refunded_at": at,
                    "refund_id": refund_id or new_id(),
                    "refund_amount": self.money(refund),
                    "refunded_amount": self.money(refund),
                },
            ),
        }[kind]  # type: ignore[index]
        values = {
            "aggregate_id": id or new_id(),
            "aggregate_version": version,
            "business_id": self.business.id,
            "sale_id": sale_id,
            "amount": self.money(amount),
            "status": status,
            "method": "QR_DYNAMIC",
            "provider": "conekta",
            "provider_ref": "ord_1",
            "country": self.business.country,
            "time_zone": self.business.time_zone,
            "created_at": at,
            **own,  # type: ignore[dict-item]
        }
        return kind(**(values | changes))

    def refund(
        self,
        sale: SaleCompleted,
        amount: str,
        *,
        at: datetime | None = None,
        method: str = "CASH",
        items: int = 0,
        **changes: Any,
    ) -> SaleRefunded:
        """Of a completed sale, with so many units of its first item."""
        sold = sale.items[0]
        values = {
            **{name: getattr(sale, name) for name in SaleRefunded.model_fields if name in type(sale).model_fields},
            "aggregate_version": sale.aggregate_version + 1,
            "status": "PARTIALLY_REFUNDED",
            "refund_id": new_id(),
            "amount": self.money(amount),
            "refunded_tax": self.money("0"),
            "refunded_total": self.money(amount),
            "parts": [SalePart(method=method, amount=self.money(amount))],
            "items": [
                RefundedItem(
                    product_id=sold.product_id,
                    name=sold.name,
                    quantity=items,
                    amount=self.money(amount),
                    tax=self.money("0"),
                    restocked=True,
                )
            ]
            if items
            else [],
            "reason": None,
            "refunded_at": at or self.now,
        }
        return SaleRefunded(**(values | changes))

    def closing(self, difference: str = "0.00", *, expected: str = "1000.00", **changes: Any) -> CashRegisterClosed:
        counted = f"{Decimal(expected) + Decimal(difference)}"
        values: dict[str, Any] = {
            "aggregate_id": new_id(),
            "aggregate_version": 2,
            "business_id": self.business.id,
            "branch_id": self.branch_id,
            "cash_session_id": new_id(),
            "register_name": "Caja 1",
            "business_day": self.now.date(),
            "time_zone": self.business.time_zone,
            "opening_cash": self.money("500.00"),
            "opened_at": self.now,
            "opened_by": new_id(),
            "closed_at": self.now,
            "closed_by": new_id(),
            "expected_cash": self.money(expected),
            "closing_cash": self.money(counted),
            "difference": self.money(difference),
            "needs_approval": Decimal(difference) != 0,
            "exceptions": 0,
        }
        return CashRegisterClosed(**(values | changes))

    def product(self, cost: str | None = "6.00", *, price: str = "10.00", **changes: Any) -> ProductCreated:
        values: dict[str, Any] = {
            "aggregate_id": new_id(),
            "aggregate_version": 1,
            "business_id": self.business.id,
            "name": "Café de olla",
            "sku": None,
            "price": self.money(price),
            "is_active": True,
            "cost": None if cost is None else self.money(cost),
        }
        return ProductCreated(**(values | changes))

    def invoice(self, *, at: datetime | None = None, total: str = "116.00", **changes: Any) -> InvoiceIssued:
        values: dict[str, Any] = {
            "aggregate_id": new_id(),
            "aggregate_version": 1,
            "business_id": self.business.id,
            "branch_id": self.branch_id,
            "sale_id": new_id(),
            "invoice_number": "A-1",
            "total": self.money(total),
            "time_zone": self.business.time_zone,
            "issued_at": at or self.now,
        }
        return InvoiceIssued(**(values | changes))

    def stock(self, change: int, kind: str = "SALE", **changes: Any) -> StockChanged:
        values: dict[str, Any] = {
            "aggregate_id": new_id(),
            "aggregate_version": 2,
            "business_id": self.business.id,
            "product_id": new_id(),
            "branch_id": self.branch_id,
            "on_hand": 10,
            "reserved": 0,
            "change": change,
            "movement_type": kind,
            "sale_id": new_id(),
        }
        return StockChanged(**(values | changes))


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
async def analytics() -> AsyncIterator[ServiceUnderTest]:
    async with running_service("analytics", AnalyticsSettings, build, migrations=MIGRATIONS) as service:
        yield service


@pytest.fixture
def open_shop(analytics: ServiceUnderTest) -> Callable[..., Merchant]:
    def open_(country: Country = Country.MX) -> Merchant:
        business = analytics.directory.open_business(country=country)
        return Merchant(analytics, business, analytics.directory.open_branch(business.id).id)

    return open_


@pytest.fixture
def merchant(open_shop: Callable[..., Merchant]) -> Merchant:
    return open_shop()
