"""Every way to pay a sale: in parts, in coins, by bank; and what percentages take off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from contracts.events.sales import SaleCompleted
from kernel import Country, new_id
from sales.sales.models import Sale

pytestmark = pytest.mark.integration

SPLIT = [{"method": "CASH", "amount": "50.00", "tendered": "60"}, {"method": "QR_DYNAMIC"}]


def parts_of(sale: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(part["method"], part["amount"], part["status"]) for part in sale["payments"]]


async def test_part_cash_part_qr(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product, payments=SPLIT)
    assert (sale["status"], sale["total"], sale["change"]) == ("PENDING_PAYMENT", "150.50", "10.00")
    assert parts_of(sale) == [("CASH", "50.00", None), ("QR_DYNAMIC", "100.50", "PENDING")]
    assert sale["payment"]["qrCodeUrl"]
    assert shop.payments.requests[sale["id"]].amount_minor == 10050
    await shop.deliver(shop.confirmed(sale["id"]))
    after = await shop.get(sale["id"])
    assert (after["status"], after["cashToReturn"]) == ("COMPLETED", None)
    assert parts_of(after) == [("CASH", "50.00", "CONFIRMED"), ("QR_DYNAMIC", "100.50", "CONFIRMED")]
    [told] = await shop.sut.published(SaleCompleted, aggregate_id=UUID(sale["id"]))
    assert [(part.method, part.amount.amount) for part in told.payments] == [
        ("CASH", "50.00"),
        ("QR_DYNAMIC", "100.50"),
    ]


async def test_the_rest_is_cash(shop: Any) -> None:
    sale = await shop.sell(shop.product(), payments=[{"method": "QR_STATIC", "amount": "0.50"}, {"method": "CASH"}])
    assert parts_of(sale)[0] == ("CASH", "150.00", None)
    assert shop.payments.requests[sale["id"]].amount_minor == 50


async def test_a_list_of_one_is_that_one(shop: Any) -> None:
    assert (await shop.sell(shop.product(), payments=[{"method": "CASH", "amount": "150.50"}]))["status"] == "COMPLETED"
    sale = await shop.sell(shop.product(), payments=[{"method": "PAYMENT_LINK"}])
    assert parts_of(sale) == [("PAYMENT_LINK", "150.50", "PENDING")]


@pytest.mark.parametrize(
    "parts",
    [
        [{"method": "CASH", "amount": "150.51"}, {"method": "QR_DYNAMIC"}],
        [{"method": "CASH", "amount": "150.50"}, {"method": "QR_DYNAMIC"}],
        [{"method": "CASH"}, {"method": "QR_DYNAMIC", "amount": "150.50"}],
        [{"method": "CASH", "amount": "50"}, {"method": "QR_DYNAMIC", "amount": "100"}],
        [{"method": "QR_DYNAMIC", "amount": "150.49"}],
        [{"method": "CASH", "amount": "150.51"}],
    ],
    ids=str,
)
async def test_parts_that_do_not_add_up(shop: Any, parts: list[dict[str, str]]) -> None:
    product = shop.product()
    answer = await shop.post(shop.body(product, payments=parts))
    assert (answer.status_code, answer.json()["code"]) == (422, "payments_do_not_add_up")
    assert shop.stock(product) == (10, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"payments": [{"method": "CASH"}, {"method": "QR_DYNAMIC"}]},
        {"payments": [{"method": "CASH", "amount": "1"}, {"method": "CASH"}]},
        {"payments": [{"method": "QR_STATIC", "amount": "1"}, {"method": "QR_DYNAMIC"}]},
        {"payments": [{"method": "CASH", "amount": "0"}, {"method": "QR_DYNAMIC"}]},
        {"payments": [{"method": "CASH", "amount": "-1"}, {"method": "QR_DYNAMIC"}]},
        {"payments": [{"method": "CASH", "bankCode": "1007"}]},
        {"payments": []},
        {"payments": SPLIT, "payment": {"method": "CASH"}},
        {"payments": None},
        {"discount": {"percent": "100.01"}},
        {"discount": {"percent": "1e1"}},
        {"discount": {"percent": "12.5", "amount": "1"}},
        {"discount": {}},
        {"discount": ["1"]},
        {"discount": {"amount": "0.001"}},
        {"payment": {"method": "BANK_TRANSFER", "device": {"ipAddress": "no"}}},
        {"payment": {"method": "BANK_TRANSFER", "bankCode": "10\u000007"}},
        {"payment": {"method": "CASH", "cashRegisterId": "x"}},
        {"customer": {"document": {"type": "CC1", "number": "12345"}}},
        {"customer": {"document": {"type": "CC"}}},
        {"customer": {"personType": "X"}},
    ],
    ids=str,
)
async def test_what_makes_no_sense(shop: Any, change: dict[str, Any]) -> None:
    body = shop.body(shop.product())
    if "payments" in change:
        body.pop("payment")
    answer = await shop.post(body | change)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed"), answer.text


async def test_a_split_sale_that_comes_to_nothing_tells_what_to_hand_back(shop: Any) -> None:
    canceled = await shop.sell(shop.product(), payments=SPLIT)
    assert (await shop.cancel(canceled["id"])).json()["data"]["cashToReturn"] == "50.00"
    expired = await shop.sell(shop.product(), payments=SPLIT)
    await shop.deliver(shop.failed(expired["id"]))
    assert (await shop.get(expired["id"]))["cashToReturn"] == "50.00"


async def test_late_money_for_half_a_sale_goes_back(shop: Any) -> None:
    """The cash has been handed back by then, so the sale can no longer be paid."""
    product = shop.product()
    sale = await shop.sell(product, payments=SPLIT)
    await shop.deliver(shop.failed(sale["id"]))
    event = shop.confirmed(sale["id"], late=True)
    await shop.deliver(event)
    await shop.deliver(event)
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("CANCELED", "late_payment_refunded")
    assert shop.payments.refunds[f"late-{sale['id']}"].amount_minor == 10050
    assert shop.stock(product) == (10, 0)


async def test_another_amount_than_the_part_is_flagged(shop: Any) -> None:
    sale = await shop.sell(shop.product(), payments=SPLIT)
    shop.payments.of_sale(sale["id"]).amount_minor = 15050
    await shop.deliver(shop.confirmed(sale["id"]))
    assert (await shop.get(sale["id"]))["paymentNote"] == "amount_mismatch"


async def test_only_the_cash_part_is_rounded(open_shop: Any) -> None:
    shop = open_shop(Country.CL)
    parts = [{"method": "QR_DYNAMIC", "amount": "1000"}, {"method": "CASH"}]
    sale = await shop.sell(shop.product("1996", tax_rate="0.19"), quantity=1, payments=parts)
    assert (sale["total"], sale["rounding"]) == ("1996", "4")
    assert parts_of(sale) == [("CASH", "1000", None), ("QR_DYNAMIC", "1000", "PENDING")]
    by_qr = await shop.sell(shop.product("1996", tax_rate="0.19"), quantity=1)
    assert (by_qr["rounding"], shop.payments.requests[by_qr["id"]].amount_minor) == ("0", 1996)


async def test_percentages(shop: Any) -> None:
    product = shop.product("99.99")
    items = [{"productId": str(product), "quantity": 1, "discount": {"percent": "10"}}]
    sale = await shop.sell(product, items=items, discount={"percent": 12.5}, method="CASH")
    # 10.00 off the line, then 12.5 % of 89.99.
    assert (sale["discount"], sale["total"]) == ("21.25", "78.74")
    same = await shop.sell(product, items=items, discount={"amount": "11.25"}, method="CASH")
    assert same["total"] == "78.74"


async def test_what_a_bank_transfer_asks_of_the_buyer(open_shop: Any) -> None:
    shop = open_shop(Country.CO)
    customer = {
        "name": "Ana",
        "document": {"type": "cc", "number": "52345678"},
        "personType": "N",
    }
    payment = {"bankCode": "1007", "device": {"cookie": "c-1", "sessionId": "s-1"}}
    sale = await shop.sell(shop.product("10000"), method="BANK_TRANSFER", customer=customer, payment=payment)
    asked = shop.payments.requests[sale["id"]]
    assert (asked.payer.document_type, asked.payer.document_number, asked.payer.person_type) == ("CC", "52345678", "N")
    assert (asked.bank_code, asked.device.cookie, asked.device.session_id) == ("1007", "c-1", "s-1")
    assert asked.device.ip_address
    assert asked.device.user_agent
    assert sale["customer"]["document"] == {"type": "CC", "number": "52345678"}
    async with shop.sut.kit.database.read() as session:
        stored = await session.get(Sale, UUID(sale["id"]))
    assert stored is not None
    assert "c-1" not in stored.device
    assert "52345678" not in stored.customer


async def test_the_sellers_level_goes_with_the_payment(shop: Any) -> None:
    for level in (0, 2):
        cashier = make_principal(works_at=[(shop.business.id, [shop.branch.id])], kyc_level=level)
        sale = (await shop.post(shop.body(shop.product()), caller=cashier)).json()["data"]
        assert shop.payments.requests[sale["id"]].kyc_level == level
    admin = make_principal(role=Role.ADMIN)
    sale = (await shop.post(shop.body(shop.product()), caller=admin)).json()["data"]
    assert not shop.payments.requests[sale["id"]].HasField("kyc_level")


async def test_what_the_list_is_searched_for(shop: Any) -> None:
    product = shop.product(stock=100)
    cash = await shop.sell(product, method="CASH", notes="Mesa 4, 100% sin azúcar")
    split = await shop.sell(product, payments=SPLIT)
    cashier = make_principal(works_at=[(shop.business.id, [shop.branch.id])])
    link = (await shop.post(shop.body(product, method="PAYMENT_LINK"), caller=cashier)).json()["data"]

    async def found(**query: str) -> list[str]:
        params = {"businessId": str(shop.business.id), **query}
        answer = await shop.sut.client.get("/api/v1/sales", params=params, headers=shop.sut.as_(shop.owner))
        assert answer.status_code == 200, answer.text
        return [sale["id"] for sale in answer.json()["data"]]

    assert await found(method="CASH") == [split["id"], cash["id"]]
    assert await found(method="QR_DYNAMIC") == [split["id"]]
    assert await found(q="mesa 4, 100%") == [cash["id"]]
    assert await found(q="%") == [cash["id"]]
    assert await found(q=link["id"][-8:].upper()) == [link["id"]]
    assert await found(createdBy=str(cashier.user_id)) == [link["id"]]
    assert await found(cashSessionId=str(new_id())) == []
    assert await found(status="COMPLETED") == [cash["id"]]
