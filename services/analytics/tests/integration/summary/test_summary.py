import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from analytics.app import MIGRATIONS
from analytics.report import MOVING_TTL, SETTLED_TTL
from chassis.auth import Role
from chassis.database.migrations import check
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from contracts.events.sales import SaleCanceled, SaleCompleted, SalePart
from kernel import Country, Currency, new_id

pytestmark = pytest.mark.integration


async def test_a_day_without_sales(merchant: Any) -> None:
    summary = await merchant.summary()

    assert (summary["salesCount"], summary["revenue"], summary["averageTicket"]) == (0, "0.00", "0.00")
    assert (summary["byPaymentMethod"], summary["payments"]["byProvider"]) == ([], [])


async def test_the_days_are_the_businesses_own(merchant: Any) -> None:
    # 2026-01-15 18:00 UTC is noon in Mexico City: midnight there is at 06:00 UTC.
    midnight = merchant.now.replace(hour=6)
    await merchant.hears(
        merchant.sale(SaleCompleted, at=midnight - timedelta(seconds=1), total="1.00", tax="0.00"),
        merchant.sale(SaleCompleted, at=midnight, total="2.00", tax="0.00"),
        merchant.sale(SaleCompleted, at=midnight + timedelta(days=1, seconds=-1), total="4.00", tax="0.00"),
        merchant.sale(SaleCompleted, at=midnight + timedelta(days=1), total="8.00", tax="0.00"),
    )

    assert (await merchant.summary())["revenue"] == "6.00"
    assert (await merchant.summary(from_="2026-01-14", to="2026-01-16"))["revenue"] == "15.00"
    assert (await merchant.summary(to="2026-01-14"))["revenue"] == "1.00"


async def test_chilean_pesos_have_no_decimals(open_shop: Any) -> None:
    shop = open_shop(Country.CL)
    await shop.hears(
        shop.sale(SaleCompleted, total="1990", tax="318", discount="0"),
        shop.sale(SaleCompleted, total="1001", tax="160", discount="0"),
    )

    summary = await shop.summary()

    assert (summary["currency"], summary["revenue"], summary["tax"]) == ("CLP", "2991", "478")
    assert summary["averageTicket"] == "1496"


async def test_sums_beyond_what_one_amount_can_be(merchant: Any) -> None:
    await merchant.hears(*(merchant.sale(SaleCompleted, total="9999999999999.99", tax="0.00") for _ in range(12)))

    summary = await merchant.summary()

    assert (summary["revenue"], summary["averageTicket"]) == ("119999999999999.88", "9999999999999.99")


async def test_another_currency_is_not_added(merchant: Any) -> None:
    pesos = MoneyAmount(amount="5", currency=Currency.CLP)
    chilean = merchant.sale(SaleCompleted).model_copy(
        update=dict.fromkeys(("subtotal", "discount", "tax", "total"), pesos)
    )
    await merchant.hears(merchant.sale(SaleCompleted), chilean)

    assert (await merchant.summary())["revenue"] == "116.00"


async def test_by_branch(merchant: Any) -> None:
    north = merchant.service.directory.open_branch(merchant.business.id).id
    canceled = new_id()
    completed = merchant.sale(SaleCompleted, total="5.00", tax="0.00", branch_id=north)
    sale = completed.aggregate_id
    await merchant.hears(
        merchant.sale(SaleCompleted, total="10.00", tax="0.00"),
        completed,
        merchant.refund(completed, "5.00", items=1),
        merchant.sale(SaleCanceled, id=canceled, branch_id=north),
        merchant.payment(PaymentConfirmed, sale_id=sale, amount="5.00"),
        merchant.payment(PaymentRefunded, sale_id=sale, amount="5.00", refund="5.00"),
        merchant.payment(PaymentFailed, sale_id=canceled, amount="7.00"),
        merchant.payment(PaymentConfirmed, amount="3.00"),
        merchant.invoice(branch_id=north, total="5.00"),
    )

    whole, part = await merchant.summary(), await merchant.summary(branchId=north)

    assert (whole["revenue"], part["revenue"], part["branchId"]) == ("15.00", "5.00", str(north))
    assert (whole["payments"]["confirmed"]["count"], part["payments"]["confirmed"]["count"]) == (2, 1)
    assert (part["canceledSales"], part["refunds"]) == (1, {"count": 1, "amount": "5.00"})
    assert part["payments"]["failureReasons"] == [{"reason": "expired", "count": 1, "amount": "7.00"}]
    assert (part["invoices"]["count"], part["stock"]["unitsReturned"], whole["stock"]["unitsSold"]) == (1, 1, 4)


async def test_a_refund_of_a_sale_that_never_was_is_no_refund_of_sales(merchant: Any) -> None:
    sale = new_id()
    await merchant.hears(
        merchant.sale(SaleCanceled, id=sale), merchant.payment(PaymentRefunded, sale_id=sale, refund="116.00")
    )

    summary = await merchant.summary()

    assert (summary["refunds"]["count"], summary["payments"]["refunded"]["count"]) == (0, 1)


async def test_a_split_sale_counts_in_each_way_it_was_paid(merchant: Any) -> None:
    """Parts and refunds are what changed hands: the total and the rounding of cash."""
    split = merchant.sale(
        SaleCompleted,
        total="100.03",
        tax="0.00",
        method="SPLIT",
        payments=[
            SalePart(method="CASH", amount=merchant.money("40.05")),
            SalePart(method="QR_DYNAMIC", amount=merchant.money("60.00"), payment_id=new_id()),
        ],
    )
    await merchant.hears(split, merchant.refund(split, "40.05"))

    summary = await merchant.summary()

    assert (summary["revenue"], summary["rounding"], summary["netRevenue"]) == ("100.03", "0.02", "59.98")
    assert [
        (tender["method"], tender["received"]["amount"], tender["refunded"]["amount"]) for tender in summary["tenders"]
    ] == [("CASH", "40.05", "40.05"), ("QR_DYNAMIC", "60.00", "0.00")]


async def test_a_closed_branch_keeps_its_history(merchant: Any) -> None:
    closed = new_id()
    await merchant.hears(merchant.sale(SaleCompleted, branch_id=closed))

    assert (await merchant.summary(branchId=closed))["salesCount"] == 1


async def test_an_employee_sees_the_branches_assigned(merchant: Any) -> None:
    north, south = (merchant.service.directory.open_branch(merchant.business.id).id for _ in range(2))
    await merchant.hears(
        merchant.sale(SaleCompleted, total="1.00", tax="0.00"),
        merchant.sale(SaleCompleted, total="2.00", tax="0.00", branch_id=north),
        merchant.sale(SaleCompleted, total="4.00", tax="0.00", branch_id=south),
    )
    of_two, of_none = merchant.employee(north, south), merchant.employee()

    assert (await merchant.summary(caller=of_two))["revenue"] == "6.00"
    assert (await merchant.summary(caller=of_two, branchId=north))["revenue"] == "2.00"
    assert (await merchant.summary(caller=of_none))["revenue"] == "0.00"
    assert (await merchant.get(caller=of_two, branchId=merchant.branch_id)).status_code == 403
    # What one of them has had cached is not what the other sees.
    assert (await merchant.get()).json()["data"]["revenue"] == "7.00"
    assert (await merchant.get(caller=of_two)).json()["data"]["revenue"] == "6.00"


async def test_another_tenants_business_and_branch_do_not_exist(merchant: Any, open_shop: Any) -> None:
    other = open_shop()
    await other.hears(other.sale(SaleCompleted))

    foreign = await merchant.get(caller=make_principal(owns=[new_id()]))
    absent = await merchant.service.client.get(
        "/api/v1/analytics/summary", params={"businessId": str(new_id())}, headers=merchant.service.as_(merchant.owner)
    )
    branches = [await merchant.get(branchId=other.branch_id), await merchant.get(branchId=new_id())]

    for answers in ([foreign, absent], branches):
        bodies = [answer.json() | {"requestId": None} for answer in answers]
        assert (answers[0].status_code, bodies[0]) == (404, bodies[1])


async def test_who_may_not(merchant: Any) -> None:
    anonymous = await merchant.service.client.get(
        "/api/v1/analytics/summary", params={"businessId": str(merchant.business.id)}
    )
    admin = await merchant.get(caller=make_principal(role=Role.ADMIN))

    assert (anonymous.status_code, admin.status_code) == (401, 200)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_": "yesterday"}, "from"),
        ({"from_": "0"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from_": "2026-01-15", "to": "2026-01-14"}, "to"),
        ({"from_": "2025-01-01", "to": "2026-12-31"}, "to"),
        ({"branchId": "' OR 1=1 --"}, "branchId"),
        ({"fresh": "<script>"}, "fresh"),
        ({"businessId": "\0"}, "businessId"),
        ({"from_": "🌮" * 1_000}, "from"),
    ],
)
async def test_bad_input_is_named(merchant: Any, query: dict[str, str], field: str) -> None:
    answer = await merchant.get(**query)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_business_must_be_named(merchant: Any) -> None:
    answer = await merchant.service.client.get(
        "/api/v1/analytics/summary", headers=merchant.service.as_(merchant.owner)
    )

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "businessId")


async def test_today_is_cached_for_seconds_and_the_past_for_an_hour(merchant: Any) -> None:
    redis = merchant.service.kit.cache.redis
    await merchant.get()
    await merchant.get(from_="2026-01-01", to="2026-01-14")
    await merchant.get(from_="2026-01-01", to="2026-01-13")

    ttl = {}
    async for key in redis.scan_iter(f"analytics:Summary:{merchant.business.id}:*"):
        ttl[key.decode().split(":")[4]] = await redis.ttl(key)

    assert 0 < ttl["2026-01-15"] <= MOVING_TTL
    assert 0 < ttl["2026-01-14"] <= MOVING_TTL
    assert MOVING_TTL < ttl["2026-01-13"] <= SETTLED_TTL


async def test_an_event_that_comes_late_is_in_the_next_report(merchant: Any) -> None:
    past = {"from_": "2026-01-02", "to": "2026-01-02"}
    before = (await merchant.get(**past)).json()["data"]["salesCount"]

    await merchant.hears(merchant.sale(SaleCompleted, at=merchant.now - timedelta(days=13)))

    assert (before, (await merchant.get(**past)).json()["data"]["salesCount"]) == (0, 1)


async def test_fresh_passes_the_cache_by_and_renews_it(merchant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: Any) -> None:
        """Redis could not be told."""

    monkeypatch.setattr("analytics.facts.service.forget_reports", unreachable)
    past = {"from_": "2026-01-02", "to": "2026-01-02"}
    assert (await merchant.get(**past)).json()["data"]["salesCount"] == 0
    await merchant.hears(merchant.sale(SaleCompleted, at=merchant.now - timedelta(days=13)))

    counts = [
        (await merchant.get(**past, **extra)).json()["data"]["salesCount"] for extra in ({}, {"fresh": "true"}, {})
    ]

    assert counts == [0, 1, 1]


async def test_what_another_version_cached_is_computed_again(merchant: Any) -> None:
    redis = merchant.service.kit.cache.redis
    await merchant.get()
    [key] = [key async for key in redis.scan_iter(f"analytics:Summary:{merchant.business.id}:*")]
    await redis.set(key, b'{"salesCount": "many"}', ex=60)

    answer = await merchant.get()

    assert (answer.status_code, answer.json()["data"]["salesCount"]) == (200, 0)


async def test_without_redis(merchant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.exceptions import ConnectionError as RedisDown

    async def down(*_: Any, **__: Any) -> None:
        raise RedisDown

    monkeypatch.setattr(merchant.service.kit.cache.redis, "get", down)
    monkeypatch.setattr(merchant.service.kit.cache.redis, "set", down)
    await merchant.hears(merchant.sale(SaleCompleted))

    assert (await merchant.get()).json()["data"]["salesCount"] == 1


async def test_as_a_table(merchant: Any) -> None:
    await merchant.hears(
        merchant.sale(SaleCompleted),
        merchant.payment(PaymentFailed, failure_reason='=HYPERLINK("http://evil")', amount="1.00"),
    )

    answer = await merchant.get(accept="text/csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="summary_2026-01-15_2026-01-15.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0] == {
        "from": "2026-01-15",
        "to": "2026-01-15",
        "section": "sales",
        "name": "completed",
        "detail": "",
        "count": "1",
        "amount": "116.00",
        "currency": "MXN",
    }
    [failure] = [row for row in rows if row["section"] == "paymentFailures"]
    assert failure["name"] == '\'=HYPERLINK("http://evil")'


async def test_an_error_is_json_whatever_was_asked_for(merchant: Any) -> None:
    answer = await merchant.get(accept="text/csv", from_="x")

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_the_migration_makes_what_the_models_say(analytics: ServiceUnderTest) -> None:
    import asyncio

    url = analytics.kit.settings.migration_database_url.get_secret_value()

    await asyncio.to_thread(check, MIGRATIONS, url)
