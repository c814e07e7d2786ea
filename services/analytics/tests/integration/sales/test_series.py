from datetime import timedelta
from typing import Any

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.sales import SaleCanceled, SaleCompleted
from kernel import new_id

pytestmark = pytest.mark.integration


async def points(merchant: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await merchant.get("sales", fresh="true", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["points"]
    return found


async def test_a_point_for_every_day(merchant: Any) -> None:
    await merchant.hears(
        merchant.sale(SaleCompleted, at=merchant.now - timedelta(days=2), discount="4.00"),
        merchant.sale(SaleCompleted, total="1.00", tax="0.14"),
        merchant.sale(SaleCompleted, total="2.00", tax="0.28"),
        merchant.sale(SaleCanceled),
    )

    found = await points(merchant, from_="2026-01-13", to="2026-01-15")

    zero = {"salesCount": 0, "revenue": "0.00", "tax": "0.00", "discount": "0.00", "averageTicket": "0.00"}
    assert found == [
        {
            "date": "2026-01-13",
            "salesCount": 1,
            "revenue": "116.00",
            "tax": "16.00",
            "discount": "4.00",
            "averageTicket": "116.00",
        },
        {"date": "2026-01-14", **zero},
        {
            "date": "2026-01-15",
            "salesCount": 2,
            "revenue": "3.00",
            "tax": "0.42",
            "discount": "0.00",
            "averageTicket": "1.50",
        },
    ]


@pytest.mark.parametrize(("interval", "dates"), [("week", ["2026-01-12"]), ("month", ["2026-01-01"])])
async def test_longer_intervals(merchant: Any, interval: str, dates: list[str]) -> None:
    await merchant.hears(*(merchant.sale(SaleCompleted, at=merchant.now - timedelta(days=back)) for back in range(3)))

    found = await points(merchant, interval=interval, from_="2026-01-13", to="2026-01-15")

    assert [(point["date"], point["salesCount"]) for point in found] == [(date, 3) for date in dates]


async def test_intervals_are_cached_apart(merchant: Any) -> None:
    span = {"from_": "2026-01-01", "to": "2026-01-14"}

    lengths = [
        len((await merchant.get("sales", interval=interval, **span)).json()["data"]["points"])
        for interval in ("day", "week", "month")
    ]

    assert lengths == [14, 3, 1]


async def test_an_employee_and_a_stranger(merchant: Any) -> None:
    north = merchant.service.directory.open_branch(merchant.business.id).id
    await merchant.hears(merchant.sale(SaleCompleted), merchant.sale(SaleCompleted, branch_id=north))

    [point] = await points(merchant, caller=merchant.employee(north))
    stranger = await merchant.get("sales", caller=make_principal(owns=[new_id()]))

    assert (point["salesCount"], stranger.status_code) == (1, 404)


@pytest.mark.parametrize("interval", ["hour", "", "'; DROP TABLE sale_facts; --"])
async def test_an_unknown_interval(merchant: Any, interval: str) -> None:
    answer = await merchant.get("sales", interval=interval)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "interval")


async def test_as_a_table(merchant: Any) -> None:
    await merchant.hears(merchant.sale(SaleCompleted))

    answer = await merchant.get("sales", accept="text/csv")

    assert answer.text.splitlines() == [
        "date,salesCount,revenue,tax,discount,averageTicket,currency",
        "2026-01-15,1,116.00,16.00,0.00,116.00,MXN",
    ]
