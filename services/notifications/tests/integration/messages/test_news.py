"""What merchants and buyers are told of refunds, drawers, documents and stock, and when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.billing import InvoiceFailed
from contracts.events.catalog import StockLow
from contracts.events.sales import CashRegisterClosed, SalePart, SaleRefunded
from kernel import Money, new_id
from notifications.digests.service import tell_due
from twins.testing import Twins

pytestmark = pytest.mark.integration

HIGH, NORMAL = "notifications.high", "notifications.normal"
NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)


def money(shop: Any, minor: int) -> MoneyAmount:
    return MoneyAmount.of(Money(minor, shop.business.currency))


def refunded(shop: Any, sale_id: UUID, *parts: tuple[str, int, UUID | None]) -> SaleRefunded:
    return SaleRefunded(
        aggregate_id=sale_id,
        aggregate_version=3,
        business_id=shop.business.id,
        branch_id=shop.branch.id,
        status="REFUNDED",
        payment_method="MIXED",
        transaction_id=None,
        subtotal=money(shop, 17900),
        discount=money(shop, 0),
        tax=money(shop, 0),
        total=money(shop, 17900),
        time_zone=shop.business.time_zone,
        created_at=NOW,
        refund_id=new_id(),
        amount=money(shop, sum(minor for _, minor, _ in parts)),
        refunded_tax=money(shop, 0),
        refunded_total=money(shop, 17900),
        parts=[SalePart(method=method, amount=money(shop, minor), payment_id=by) for method, minor, by in parts],
        items=[],
        reason=None,
        refunded_at=NOW,
    )


async def test_cash_given_back_is_told_and_the_rest_left_to_its_payment(
    sut: ServiceUnderTest, peers: Any, shop: Any, phones: Any, send_all: Any, twins: Twins
) -> None:
    phone = phones()
    sale_id = peers.bought(phone=phone)

    await sut.deliver(HIGH, refunded(shop, sale_id, ("QR_DYNAMIC", 10000, new_id())))
    await sut.deliver(HIGH, refunded(shop, sale_id, ("QR_DYNAMIC", 10000, new_id()), ("CASH", 7900, None)))
    await send_all()

    (message,) = await twins.messages(to=phone)
    assert message["text"] == "Abarrotes Lupita te devolvió $79.00 en efectivo."


def closed(shop: Any, *, needs_approval: bool) -> CashRegisterClosed:
    return CashRegisterClosed(
        aggregate_id=new_id(),
        aggregate_version=2,
        business_id=shop.business.id,
        branch_id=shop.branch.id,
        cash_session_id=new_id(),
        register_name="Caja 1",
        business_day=date(2026, 11, 22),
        time_zone=shop.business.time_zone,
        opening_cash=money(shop, 50000),
        opened_at=NOW,
        opened_by=new_id(),
        closed_at=NOW,
        closed_by=new_id(),
        expected_cash=money(shop, 120000),
        closing_cash=money(shop, 108000),
        difference=money(shop, -12000),
        needs_approval=needs_approval,
        exceptions=0,
    )


async def test_a_drawer_is_news_where_its_difference_is_not_tolerated(
    sut: ServiceUnderTest, shop: Any, listed: Any
) -> None:
    await sut.deliver(HIGH, closed(shop, needs_approval=False))
    assert await listed(shop) == []

    await sut.deliver(HIGH, closed(shop, needs_approval=True))

    ((channel, template),) = [(row["channel"], row["template"]) for row in await listed(shop)]
    assert (channel, template) == ("EMAIL", "cash_difference")


async def test_a_document_that_fails_is_news(sut: ServiceUnderTest, shop: Any, listed: Any) -> None:
    event = InvoiceFailed(
        aggregate_id=new_id(),
        aggregate_version=2,
        business_id=shop.business.id,
        branch_id=shop.branch.id,
        sale_id=new_id(),
        invoice_number="A-7",
        total=money(shop, 17900),
        time_zone=shop.business.time_zone,
        reason="CFDI40147 Ana López",
    )

    for _ in range(2):
        await sut.deliver(NORMAL, event, id=new_id())
    id = await sut.deliver(NORMAL, event)
    await sut.deliver(NORMAL, event, id=id)

    assert [row["template"] for row in await listed(shop)] == ["invoice_failed"] * 3


def low(shop: Any, product: str) -> StockLow:
    return StockLow(
        aggregate_id=new_id(),
        aggregate_version=7,
        business_id=shop.business.id,
        product_id=new_id(),
        branch_id=shop.branch.id,
        on_hand=3,
        reserved=1,
        product_name=product,
        min_stock=5,
    )


async def test_an_afternoon_of_low_stock_is_one_message(
    sut: ServiceUnderTest, shop: Any, listed: Any, send_all: Any, twins: Twins
) -> None:
    first = low(shop, "Café de olla")
    id = await sut.deliver(NORMAL, first)
    await sut.deliver(NORMAL, first, id=id)
    for number in range(24):
        await sut.deliver(NORMAL, low(shop, f"Producto {number}"))
    await tell_due(sut.context)
    assert await listed(shop) == []

    sut.clock.advance(timedelta(minutes=15))
    await tell_due(sut.context)
    await tell_due(sut.context)

    (row,) = await listed(shop)
    assert (row["channel"], row["template"], row["eventClass"]) == ("EMAIL", "stock_low", "STOCK")
    await send_all()
    mine = [
        message for message in await twins.messages(channel="EMAIL") if "25 productos" in (message["subject"] or "")
    ]
    assert "Producto 18" in mine[0]["text"]
    assert "Producto 19" not in mine[0]["text"]
    assert "y 5 más" in mine[0]["text"]
    assert "3 en Centro (mínimo 5)" in mine[0]["text"]


async def put(sut: ServiceUnderTest, shop: Any, path: str, body: dict[str, Any]) -> None:
    answer = await sut.client.put(f"/api/v1/notification-preferences{path}", json=body, headers=sut.as_(shop.owner))
    assert answer.status_code == 200, answer.text


@pytest.fixture
def owned(sut: ServiceUnderTest, open_shop: Any) -> Any:
    """A shop whose token is its owner's, as the directory knows them."""
    shop = open_shop()
    return replace(shop, owner=make_principal(user_id=shop.business.owner_id, owns=[shop.business.id]))


async def test_what_an_owner_muted_is_not_written(sut: ServiceUnderTest, owned: Any, listed: Any) -> None:
    await put(sut, owned, "/me", {"muted": [{"eventClass": "CASH", "channel": "EMAIL"}]})

    await sut.deliver(HIGH, closed(owned, needs_approval=True))

    assert [row["channel"] for row in await listed(owned)] == ["SMS"]


async def test_news_wait_for_the_end_of_quiet_hours_and_payments_do_not(
    sut: ServiceUnderTest, owned: Any, listed: Any, send_all: Any
) -> None:
    # An hour from now in Bogotá, whatever the time is.
    local = sut.clock.now().astimezone(UTC) - timedelta(hours=5)
    begin, end = local - timedelta(hours=1), local + timedelta(hours=1)
    hours = {"from": f"{begin:%H:%M}", "until": f"{end:%H:%M}", "timeZone": "America/Bogota"}
    await put(sut, owned, "/me", {"quietHours": hours})

    await sut.deliver(HIGH, closed(owned, needs_approval=True))
    await send_all()
    assert [row["status"] for row in await listed(owned)] == ["PENDING"]

    sut.clock.advance(timedelta(hours=1))
    await send_all()
    assert [row["status"] for row in await listed(owned)] == ["SENT"]
