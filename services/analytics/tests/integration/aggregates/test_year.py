"""A whole year of a shop, heard twice: in order, and shuffled with duplicates. And made again from the log."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from analytics.aggregates.service import aggregate
from analytics.facts.rows import rows_of
from analytics.facts.service import Recorder, Told
from analytics.rebuild import service as rebuild
from chassis.bus.received import Received
from contracts.events import DomainEvent
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed
from contracts.events.sales import SaleCanceled, SaleCompleted, SaleCreated, SaleItem, SalePart
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

FIRST, LAST = date(2025, 1, 15), date(2026, 1, 15)
DAYS = {"from_": FIRST, "to": LAST}
QUEUE = "analytics.facts"


_METHODS = ("CASH", "CASH", "QR_DYNAMIC", "SPLIT")
_REASONS = ("declined", "expired", "canceled")


class Year:
    """What it sells, how it is paid, what comes back, what its drawer lacks: the same for the same seed.

    events(): each sale's in the order in which they happened. ids: those of another shop are others.
    """

    def __init__(self, merchant: Any, *, first: date, seed: int, ids: int, sales_a_day: int) -> None:
        self._merchant = merchant
        self._first = first
        self._sales_a_day = sales_a_day
        self._chance = random.Random(seed)
        self._ids = random.Random(ids)
        self._zone = ZoneInfo(merchant.business.time_zone)
        self._products = [(self._id(), f"Producto {number:02}", 1_000 + 700 * number) for number in range(40)]
        self._levels = {product: (self._id(), 1) for product, _, _ in self._products}
        self._register = self._id()

    def _id(self) -> UUID:
        return UUID(int=self._ids.getrandbits(128))

    def _money(self, minor: int) -> Any:
        return self._merchant.money(f"{minor / 100:.2f}")

    def events(self) -> Iterator[DomainEvent]:
        for _, name, price in self._products:
            yield self._merchant.product(f"{price // 200}.00", name=name, aggregate_id=self._id())
        for number in range(365):
            day = self._first + timedelta(days=number)
            # Saturdays are long; and someone always comes at midnight.
            for _ in range(self._sales_a_day + (8 if day.weekday() == 5 else 0)):
                yield from self._sale(self._moment(day))
            yield self._merchant.closing(
                f"{self._chance.choice((0, 0, 0, -500, 120)) / 100:.2f}",
                business_day=day,
                aggregate_id=self._register,
                cash_session_id=self._id(),
                aggregate_version=2 * number + 2,
                opened_at=self._moment(day),
                closed_at=self._moment(day),
            )

    def _moment(self, day: date) -> datetime:
        minute = self._chance.choice((0, 1439, self._chance.randrange(540, 1260), self._chance.randrange(720, 1200)))
        return (datetime.combine(day, time(), self._zone) + timedelta(minutes=minute)).astimezone(UTC)

    def _sale(self, at: datetime) -> Iterator[DomainEvent]:
        chance, sale, payment = self._chance, self._id(), self._id()
        product, name, price = chance.choice(self._products)
        quantity, method = chance.randrange(1, 4), chance.choice(_METHODS)
        total = price * quantity
        shared = {"id": sale, "at": at, "method": method, "total": f"{total / 100:.2f}", "tax": "0.00"}
        cash = total // 2 if method == "SPLIT" else total
        parts = [SalePart(method="CASH", amount=self._money(cash))]
        if method != "CASH":
            online = total if method == "QR_DYNAMIC" else total - cash
            paid = {"id": payment, "at": at, "sale_id": sale, "amount": f"{online / 100:.2f}"}
            yield self._merchant.sale(SaleCreated, version=1, **shared)
            yield self._merchant.payment(PaymentCreated, version=1, **paid)
            if chance.random() < 0.15:
                reason = chance.choice(_REASONS)
                yield self._merchant.payment(PaymentFailed, version=2, **paid, failure_reason=reason)
                yield self._merchant.sale(SaleCanceled, version=2, **shared)
                return
            yield self._merchant.payment(PaymentConfirmed, version=2, **paid)
            parts = [*parts[: method == "SPLIT"], SalePart(method="QR_DYNAMIC", amount=self._money(online))]
        item = SaleItem(
            product_id=product,
            name=name,
            quantity=quantity,
            unit_price=self._money(price),
            discount=self._money(0),
            tax=self._money(0),
            total=self._money(total),
        )
        completed = self._merchant.sale(SaleCompleted, version=3, items=[item], payments=parts, **shared)
        yield completed
        level, version = self._levels[product]
        self._levels[product] = (level, version + 1)
        yield self._merchant.stock(
            -quantity, aggregate_id=level, aggregate_version=version + 1, product_id=product, sale_id=sale
        )
        if chance.random() < 0.03:
            back = self._money(price)
            yield self._merchant.refund(
                completed,
                back.amount,
                at=at + timedelta(days=1),
                method=parts[0].method,
                items=1,
                refund_id=self._id(),
            )


async def hears(merchant: Any, deliveries: Sequence[tuple[UUID, DomainEvent]]) -> None:
    """As a busy consumer does: many in a transaction."""
    kit = merchant.service.kit
    recorder = Recorder(kit.database, kit.cache, kit.clock)
    told = [
        Told(Received(id_, QUEUE, event, kit.clock.now()), rows_of(event, kit.clock.now())) for id_, event in deliveries
    ]
    for start in range(0, len(told), 500):
        await recorder.record(told[start : start + 500])


async def reports(merchant: Any) -> dict[str, Any]:
    """Everything there is to see of the year, but for ids."""
    seen = {}
    for report, more in (
        ("summary", {}),
        ("sales", {"interval": "day"}),
        ("payments", {"interval": "week"}),
        ("top-products", {"limit": 100}),
        ("cash", {"interval": "month"}),
        ("hours", {}),
        ("stock", {}),
    ):
        answer = await merchant.get(report, fresh="true", **DAYS, **more)
        assert answer.status_code == 200, answer.text
        seen[report] = without_ids(answer.json()["data"])
    return seen


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_ids(each) for name, each in value.items() if not name.lower().endswith("id")}
    return [without_ids(each) for each in value] if isinstance(value, list) else value


async def stored(merchant: Any, table: str) -> list[tuple[Any, ...]]:
    async with merchant.service.kit.database.read() as session:
        found = await session.execute(
            text(f"SELECT to_jsonb(t) - 'business_id' AS row FROM {table} AS t WHERE business_id = :id"),
            {"id": merchant.business.id},
        )
        return sorted(map(str, found.scalars()))


async def test_a_year_in_order_shuffled_and_made_again(open_shop: Any) -> None:
    in_order, shuffled = open_shop(), open_shop()
    database, clock = in_order.service.kit.database, in_order.service.clock
    story = [(new_id(), event) for event in Year(in_order, first=FIRST, seed=7, ids=1, sales_a_day=2).events()]
    assert len(story) > 3_000
    await hears(in_order, story)
    from_facts = await reports(in_order)
    await aggregate(database)
    assert await reports(in_order) == from_facts, "what is summed beforehand is what the facts say"
    assert from_facts["summary"]["salesCount"] > 800

    told = [(new_id(), event) for event in Year(shuffled, first=FIRST, seed=7, ids=2, sales_a_day=2).events()]
    chance = random.Random(7)
    told += chance.sample(told, len(told) // 5)
    chance.shuffle(told)
    half = len(told) // 2
    await hears(shuffled, told[:half])
    await aggregate(database)
    await hears(shuffled, told[half:])

    assert await reports(shuffled) == from_facts
    await aggregate(database)
    assert await reports(shuffled) == from_facts

    sums = {name: await stored(shuffled, name) for name in ("daily_figures", "hourly_sales", "daily_products")}
    await rebuild.request(database, clock, shuffled.business.id)
    assert await rebuild.work_off(database, shuffled.service.kit.cache) == 1
    assert await reports(shuffled) == from_facts
    await aggregate(database)
    assert {name: await stored(shuffled, name) for name in sums} == sums
