"""The week is told on Monday morning of the shop's own clock, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from analytics.weekly import service
from contracts.events.analytics import ReportWeeklyReady
from contracts.events.sales import SaleCompleted
from kernel import Country, FixedClock

pytestmark = pytest.mark.integration

# Monday, 19 January 2026, 07:00 in Mexico City.
MONDAY = datetime(2026, 1, 19, 13, tzinfo=UTC)


@pytest.fixture
def at(analytics: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    clock: FixedClock = analytics.clock

    def set_(now: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: now)

    return set_


async def told(shop: Any) -> list[ReportWeeklyReady]:
    events = await shop.service.published(ReportWeeklyReady)
    return [event for event in events if event.business_id == shop.business.id]


async def test_a_week_is_told_once_on_its_monday_morning(merchant: Any, open_shop: Any, at: Any) -> None:
    idle, chile = open_shop(), open_shop(Country.CL)
    sold = merchant.sale(SaleCompleted, at=MONDAY - timedelta(days=3), total="300.00", tax="0.00")
    await merchant.hears(
        sold,
        merchant.sale(SaleCompleted, at=MONDAY - timedelta(days=10), total="200.00", tax="0.00"),
        merchant.sale(SaleCompleted, at=MONDAY, total="999.00", tax="0.00"),
        merchant.refund(sold, "50.00", at=MONDAY - timedelta(days=2)),
        merchant.closing("-7.00", business_day=(MONDAY - timedelta(days=3)).date()),
    )
    await idle.hears(idle.product())
    await chile.hears(chile.sale(SaleCompleted, at=MONDAY - timedelta(days=3), total="1990", tax="0", discount="0"))

    at(MONDAY - timedelta(minutes=1))
    await service.tell_weeks(merchant.service.context)
    # In Chile it is ten by now.
    assert (len(await told(merchant)), len(await told(chile))) == (0, 1)
    at(MONDAY)
    await service.tell_weeks(merchant.service.context)
    at(MONDAY + timedelta(hours=20))
    await service.tell_weeks(merchant.service.context)

    (week,) = await told(merchant)
    assert (week.first.isoformat(), week.last.isoformat()) == ("2026-01-12", "2026-01-18")
    assert (week.sales, week.revenue.amount, week.previous_revenue.amount) == (1, "300.00", "200.00")
    assert (week.refunds.amount, week.cash_difference.amount, week.busiest_hour) == ("50.00", "-7.00", 7)
    assert [
        (day.revenue.amount, day.previous.amount) for day in week.days if day.sales or day.previous.amount != "0.00"
    ]
    assert week.products[0].name == "Café de olla"
    assert await told(idle) == []


async def test_a_monday_nobody_worked_is_told_on_tuesday_and_not_on_wednesday(merchant: Any, at: Any) -> None:
    await merchant.hears(merchant.sale(SaleCompleted, at=MONDAY - timedelta(days=3)))
    at(MONDAY + timedelta(days=2))
    await service.tell_weeks(merchant.service.context)
    assert await told(merchant) == []
    at(MONDAY + timedelta(days=1, hours=10))
    await service.tell_weeks(merchant.service.context)
    assert len(await told(merchant)) == 1
