"""Whatever the broker does with the events, the figures are the same."""

import asyncio
import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from analytics.facts.rows import TRANSLATIONS
from chassis.bus.consumer import DeadLetter
from contracts.events import DomainEvent
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed, PaymentRefunded
from contracts.events.registry import queue
from contracts.events.sales import SaleCanceled, SaleCompleted, SaleCreated
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

QUEUE = "analytics.facts"


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name not in {"businessId", "generatedAt"}}


def day_of_events(merchant: Any) -> list[DomainEvent]:
    """One of everything: a paid sale with invoice and goods, a revived one, a canceled one, refunds."""
    revived, canceled = new_id(), new_id()
    completed = merchant.sale(SaleCompleted, id=new_id(), version=2, method="QR_DYNAMIC")
    sale = completed.aggregate_id
    paid, late, failed = new_id(), new_id(), new_id()
    level = new_id()
    return [
        merchant.sale(SaleCreated, id=sale, version=1, method="QR_DYNAMIC"),
        merchant.payment(PaymentCreated, id=paid, version=1, sale_id=sale),
        merchant.payment(PaymentConfirmed, id=paid, version=2, sale_id=sale),
        completed,
        merchant.refund(completed, "16.00", method="QR_DYNAMIC", items=1),
        merchant.refund(completed, "100.00", method="QR_DYNAMIC"),
        merchant.closing("-3.00"),
        merchant.product(),
        merchant.stock(-2, aggregate_id=level, aggregate_version=2, sale_id=sale),
        merchant.stock(1, "RETURN", aggregate_id=level, aggregate_version=3, sale_id=sale),
        merchant.invoice(sale_id=sale),
        merchant.payment(
            PaymentRefunded, id=paid, version=3, sale_id=sale, refund="16.00", status="PARTIALLY_REFUNDED"
        ),
        merchant.payment(PaymentRefunded, id=paid, version=4, sale_id=sale, refund="100.00"),
        merchant.sale(SaleCreated, id=revived, version=1, method="PAYMENT_LINK", total="50.00", tax="6.90"),
        merchant.payment(PaymentCreated, id=late, version=1, sale_id=revived, amount="50.00"),
        merchant.payment(PaymentFailed, id=late, version=2, sale_id=revived, amount="50.00"),
        merchant.sale(SaleCanceled, id=revived, version=2, method="PAYMENT_LINK", total="50.00", tax="6.90"),
        merchant.payment(PaymentConfirmed, id=late, version=3, sale_id=revived, amount="50.00", late=True),
        merchant.sale(SaleCompleted, id=revived, version=4, method="PAYMENT_LINK", total="50.00", tax="6.90"),
        merchant.sale(SaleCreated, id=canceled, version=1, total="9.99", tax="1.38"),
        merchant.payment(PaymentFailed, id=failed, version=2, sale_id=canceled, amount="9.99"),
        merchant.sale(SaleCanceled, id=canceled, version=2, total="9.99", tax="1.38"),
    ]


def test_every_event_of_the_queue_is_counted() -> None:
    assert TRANSLATIONS.keys() == set(queue(QUEUE).events)


async def test_the_day_in_figures(merchant: Any) -> None:
    await merchant.hears(*day_of_events(merchant))

    summary = await merchant.summary()

    assert figures(summary) == {
        "branchId": None,
        "from": "2026-01-15",
        "to": "2026-01-15",
        "timeZone": "America/Mexico_City",
        "currency": "MXN",
        "salesCount": 2,
        "revenue": "166.00",
        "tax": "22.90",
        "discount": "0.00",
        "averageTicket": "83.00",
        "byPaymentMethod": [
            {"method": "PAYMENT_LINK", "salesCount": 1, "revenue": "50.00"},
            {"method": "QR_DYNAMIC", "salesCount": 1, "revenue": "116.00"},
        ],
        "tenders": [
            {
                "method": "PAYMENT_LINK",
                "received": {"count": 1, "amount": "50.00"},
                "refunded": {"count": 0, "amount": "0.00"},
            },
            {
                "method": "QR_DYNAMIC",
                "received": {"count": 1, "amount": "116.00"},
                "refunded": {"count": 2, "amount": "116.00"},
            },
        ],
        "rounding": "0.00",
        "canceledSales": 1,
        "refunds": {"count": 2, "amount": "116.00"},
        "netRevenue": "50.00",
        "payments": {
            "created": {"count": 3, "amount": "175.99"},
            "confirmed": {"count": 2, "amount": "166.00"},
            "failed": {"count": 1, "amount": "9.99"},
            "refunded": {"count": 2, "amount": "116.00"},
            "successRate": "0.6667",
            "byProvider": [
                {
                    "provider": "conekta",
                    "method": "QR_DYNAMIC",
                    "created": {"count": 3, "amount": "175.99"},
                    "confirmed": {"count": 2, "amount": "166.00"},
                    "failed": {"count": 1, "amount": "9.99"},
                    "refunded": {"count": 2, "amount": "116.00"},
                    "successRate": "0.6667",
                }
            ],
            "failureReasons": [{"reason": "expired", "count": 1, "amount": "9.99"}],
        },
        "invoices": {"count": 1, "amount": "116.00"},
        "invoicesByKind": [{"kind": "RECEIPT", "count": 1, "amount": "116.00"}],
        "cash": {"closings": 1, "difference": "-3.00"},
        "stock": {"unitsSold": 4, "unitsReturned": 1},
    }


@pytest.mark.parametrize("seed", range(8))
async def test_duplicates_and_disorder_change_nothing(open_shop: Any, seed: int) -> None:
    in_order, shuffled = open_shop(), open_shop()
    await in_order.hears(*day_of_events(in_order))
    chance = random.Random(seed)
    deliveries = [(new_id(), event) for event in day_of_events(shuffled)]
    deliveries += chance.sample(deliveries, 9)
    # The same fact under another event id, as after a replay by hand: keys and versions recognise it.
    deliveries += [(new_id(), event) for _, event in chance.sample(deliveries, 9)]
    chance.shuffle(deliveries)

    for event_id, event in deliveries:
        await shuffled.service.deliver(QUEUE, event, id=event_id)

    assert figures(await shuffled.summary()) == figures(await in_order.summary())


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_a_payments_life_in_any_order(merchant: Any, order: tuple[int, ...]) -> None:
    payment, sale = new_id(), new_id()
    life = [
        merchant.payment(PaymentCreated, id=payment, version=1, sale_id=sale),
        merchant.payment(PaymentFailed, id=payment, version=2, sale_id=sale),
        merchant.payment(PaymentConfirmed, id=payment, version=3, sale_id=sale),
        merchant.payment(PaymentRefunded, id=payment, version=4, sale_id=sale),
    ]

    await merchant.hears(*(life[index] for index in order))

    payments = (await merchant.summary())["payments"]
    assert {name: payments[name]["count"] for name in ("created", "confirmed", "failed", "refunded")} == {
        "created": 1,
        "confirmed": 1,
        "failed": 0,
        "refunded": 1,
    }


async def test_the_same_event_twelve_times_at_once(merchant: Any) -> None:
    event, event_id = merchant.sale(SaleCompleted), new_id()

    await asyncio.gather(*(merchant.service.deliver(QUEUE, event, id=event_id) for _ in range(12)))

    assert (await merchant.summary())["salesCount"] == 1


async def test_events_of_one_sale_at_once(merchant: Any) -> None:
    sale = new_id()
    events = [
        merchant.sale(SaleCreated, id=sale, version=1),
        merchant.sale(SaleCanceled, id=sale, version=2),
        merchant.sale(SaleCompleted, id=sale, version=3, total="20.00", tax="2.76"),
    ]

    await asyncio.gather(*(merchant.hears(event) for event in events * 4))

    summary = await merchant.summary()
    assert (summary["salesCount"], summary["revenue"], summary["canceledSales"]) == (1, "20.00", 0)


async def test_each_change_counts_on_the_day_it_happened(merchant: Any) -> None:
    payment, monday, tuesday = new_id(), merchant.now - timedelta(days=3), merchant.now - timedelta(days=2)
    await merchant.hears(
        merchant.payment(PaymentCreated, id=payment, version=1, at=monday),
        merchant.payment(PaymentConfirmed, id=payment, version=2, at=tuesday, created_at=monday),
        merchant.payment(PaymentRefunded, id=payment, version=3, created_at=monday),
    )

    days = [(await merchant.summary(from_=day, to=day))["payments"] for day in ("2026-01-12", "2026-01-13")]
    today = (await merchant.summary())["payments"]

    counts = [[flow[name]["count"] for name in ("created", "confirmed", "refunded")] for flow in (*days, today)]
    assert counts == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    # A payment without a sale is no sale's refund.
    assert (await merchant.summary())["refunds"]["count"] == 0


@pytest.mark.parametrize("change", [{"time_zone": "Mars/Olympus"}, {"time_zone": "America"}])
async def test_an_event_without_sense_is_set_aside_at_once(merchant: Any, change: dict[str, Any]) -> None:
    with pytest.raises(DeadLetter):
        await merchant.hears(merchant.sale(SaleCompleted, **change))

    assert (await merchant.summary())["salesCount"] == 0


async def test_a_crash_before_the_commit_leaves_nothing(merchant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chassis.database.unit import UnitOfWork

    event, event_id = merchant.sale(SaleCompleted), new_id()
    with monkeypatch.context() as patch:

        async def die(self: UnitOfWork) -> bool:
            raise RuntimeError("killed")

        patch.setattr(UnitOfWork, "finish", die)
        with pytest.raises(RuntimeError):
            await merchant.service.deliver(QUEUE, event, id=event_id)

    await merchant.service.deliver(QUEUE, event, id=event_id)

    assert (await merchant.summary())["salesCount"] == 1


async def test_the_lines_of_a_sale_are_kept_once(merchant: Any) -> None:
    event = merchant.sale(SaleCompleted)
    await merchant.hears(event, event)

    async with merchant.service.kit.database.read() as session:
        rows = await session.execute(
            text("SELECT line, name, quantity FROM sale_line_facts WHERE sale_id = :id"), {"id": event.aggregate_id}
        )
        assert [tuple(row) for row in rows] == [(0, "Café de olla", 2)]
