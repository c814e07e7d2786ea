"""POST /sales/:id/refund: money the way it came, goods to the shelf, and never more than there was."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.sales import SaleRefunded
from kernel import CobroError, Conflict, Country, RuleViolation, Unavailable, new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

LEASE_OVER = text("UPDATE idempotency_keys SET lease_until = now() - interval '1 second' WHERE key = :key")


def money_of(refund: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part["method"], part["amount"]) for part in refund["parts"]]


async def given_back(shop: Any, sale: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await shop.refund(sale["id"], body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def refused(shop: Any, sale: dict[str, Any], body: dict[str, Any] | None = None, **options: Any) -> Any:
    answer = await shop.refund(sale["id"], body, **options)
    return answer.status_code, answer.json()["code"]


async def drawer_of(shop: Any, cash: str = "500") -> str:
    headers = shop.sut.as_(shop.owner)
    body = {"businessId": str(shop.business.id), "branchId": str(shop.branch.id), "name": f"Caja {new_id()}"}
    register = (await shop.sut.client.post("/api/v1/cash-registers", json=body, headers=headers)).json()["data"]
    path = f"/api/v1/cash-registers/{register['id']}"
    opened = await shop.sut.client.post(f"{path}/open", json={"openingCash": cash}, headers=headers)
    assert opened.status_code == 201, opened.text
    return path


async def expected_in(shop: Any, path: str) -> str:
    headers = shop.sut.as_(shop.owner)
    [session] = (await shop.sut.client.get(f"{path}/sessions", headers=headers)).json()["data"]
    return session["expectedCash"]


async def refunds_in(shop: Any, path: str) -> dict[str, str]:
    """Of the drawer's books, by method: what is not cash is information."""
    headers = shop.sut.as_(shop.owner)
    [listed] = (await shop.sut.client.get(f"{path}/sessions", headers=headers)).json()["data"]
    session = (await shop.sut.client.get(f"{path}/sessions/{listed['id']}", headers=headers)).json()["data"]
    return {total["method"]: total["amount"] for total in session["totals"] if total["kind"] == "REFUND"}


async def test_a_cash_sale_whole(shop: Any) -> None:
    path = await drawer_of(shop)
    product = shop.product("75.25")
    sale = await shop.sell(product, method="CASH")
    assert await expected_in(shop, path) == "650.50"
    refund = await given_back(shop, sale, {"reason": "Salió defectuoso"})
    assert (refund["status"], refund["saleStatus"], refund["amount"], refund["tax"]) == (
        "SUCCEEDED",
        "REFUNDED",
        "150.50",
        "20.76",
    )
    assert money_of(refund) == [("CASH", "150.50")]
    assert shop.stock(product) == (10, 0)
    assert await expected_in(shop, path) == "500.00"
    after = await shop.get(sale["id"])
    assert (after["status"], after["refundedAmount"]) == ("REFUNDED", "150.50")
    [told] = await shop.sut.published(SaleRefunded, aggregate_id=UUID(sale["id"]))
    assert (told.refund_id, told.amount.amount, told.status) == (UUID(refund["id"]), "150.50", "REFUNDED")
    assert [(item.quantity, item.restocked) for item in told.items] == [(2, True)]
    assert await refused(shop, sale) == (422, "nothing_to_refund")
    assert [one["id"] for one in await shop.refunds(sale["id"])] == [refund["id"]]


async def test_item_by_item_and_money_alone_are_the_whole_in_the_end(shop: Any) -> None:
    product, other = shop.product("3.33"), shop.product("10.00", tax_rate="0")
    items = [{"productId": str(product), "quantity": 3}, {"productId": str(other), "quantity": 1}]
    sale = await shop.sell(product, items=items, discount={"percent": "33.33"}, method="CASH")
    line = sale["items"][0]["id"]
    wishes: list[dict[str, Any]] = [
        {"items": [{"itemId": line, "quantity": 1}], "restock": False},
        {"amount": "1.01"},
        {"items": [{"productId": str(product), "quantity": 1}]},
        {},
    ]
    refunds = [await given_back(shop, sale, wish) for wish in wishes]
    cents = [int(refund["amount"].replace(".", "")) for refund in refunds]
    taxes = [int(refund["tax"].replace(".", "")) for refund in refunds]
    assert sum(cents) == int(sale["total"].replace(".", ""))
    assert sum(taxes) == int(sale["tax"].replace(".", ""))
    assert [refund["saleStatus"] for refund in refunds] == ["PARTIALLY_REFUNDED"] * 3 + ["REFUNDED"]
    # Of three, one was not fit for the shelf.
    assert (shop.stock(product), shop.stock(other)) == ((9, 1), (10, 0))
    told = await shop.sut.published(SaleRefunded, aggregate_id=UUID(sale["id"]))
    assert [event.refunded_total.amount for event in told][-1] == sale["total"]
    assert [len(event.items) for event in told] == [1, 0, 1, 2]


async def test_by_the_provider_at_once(shop: Any) -> None:
    product = shop.product()
    sale = await shop.paid(product)
    refund = await given_back(shop, sale, {"items": [{"productId": str(product), "quantity": 1}]})
    assert (refund["status"], money_of(refund)) == ("SUCCEEDED", [("QR_DYNAMIC", "75.25")])
    assert shop.payments.refunds[f"refund-{refund['id']}"].amount_minor == 7525
    assert shop.stock(product) == (9, 1)
    # The provider's own event of it is no news.
    named = UUID(shop.payments.refunds[f"refund-{refund['id']}"].id)
    await shop.deliver(shop.refunded(sale["id"], "75.25", "PARTIALLY_REFUNDED", refund_id=named))
    assert (await shop.get(sale["id"]))["refundedAmount"] == "75.25"
    assert (await shop.events(sale["id"])).count("sale.refunded") == 1


@pytest.mark.parametrize("by", ["its event", "asking"])
async def test_a_provider_that_takes_its_time(shop: Any, by: str) -> None:
    """Split: the cash waits for the provider, in the drawer and out of the buyer's hands."""
    path = await drawer_of(shop)
    product = shop.product()
    parts = [{"method": "CASH", "amount": "50"}, {"method": "QR_DYNAMIC"}]
    sale = await shop.paid(product, payments=parts)
    shop.payments.refund_status = "PENDING"
    refund = await given_back(shop, sale)
    assert (refund["status"], refund["saleStatus"]) == ("PENDING", "COMPLETED")
    assert money_of(refund) == [("CASH", "50.00"), ("QR_DYNAMIC", "100.50")]
    assert (await expected_in(shop, path), shop.stock(product)) == ("550.00", (8, 2))
    assert await refused(shop, sale) == (422, "nothing_to_refund")
    at_provider = shop.payments.refunds[f"refund-{refund['id']}"]
    at_provider.status = "SUCCEEDED"
    if by == "asking":
        await shop.resume()
    event = shop.refunded(sale["id"], "100.50", refund_id=UUID(at_provider.id))
    await shop.deliver(event)
    await shop.deliver(event)
    assert (await shop.get(sale["id"]))["status"] == "REFUNDED"
    assert [one["status"] for one in await shop.refunds(sale["id"])] == ["SUCCEEDED"]
    assert (await expected_in(shop, path), shop.stock(product)) == ("500.00", (10, 0))
    assert await refunds_in(shop, path) == {"CASH": "-50.00", "QR_DYNAMIC": "-100.50"}
    assert (await shop.events(sale["id"])).count("sale.refunded") == 1


@pytest.mark.parametrize("when", ["at once", "later"])
async def test_a_provider_that_refuses(shop: Any, when: str) -> None:
    product = shop.product()
    sale = await shop.paid(product)
    if when == "at once":
        shop.payments.faults.before(
            "RefundPayment", shop.payments.faults.failing(RuleViolation("no", code="refund_not_supported"))
        )
        assert await refused(shop, sale) == (422, "refund_not_supported")
    else:
        shop.payments.refund_status = "PENDING"
        refund = await given_back(shop, sale)
        shop.payments.refunds[f"refund-{refund['id']}"].status = "FAILED"
        shop.payments.refunds[f"refund-{refund['id']}"].failure_reason = "refund_declined"
        shop.payments.of_sale(sale["id"]).refunded_minor = 0
        await shop.resume()
    [failed] = await shop.refunds(sale["id"])
    assert (failed["status"], failed["failureReason"]) == (
        "FAILED",
        "refund_not_supported" if when == "at once" else "refund_declined",
    )
    after = await shop.get(sale["id"])
    assert (after["status"], after["refundedAmount"], after["paymentNote"]) == ("COMPLETED", "0.00", "refund_failed")
    assert shop.stock(product) == (8, 2)
    assert "sale.refunded" not in await shop.events(sale["id"])
    # Nothing is reserved any more.
    shop.payments.refund_status = "SUCCEEDED"
    assert (await given_back(shop, sale))["amount"] == "150.50"


async def test_never_more_than_there_was(shop: Any) -> None:
    """Ten at once want two thirds each: one gets it."""
    product = shop.product("30.00")
    sale = await shop.paid(product, quantity=3)
    body = {"items": [{"productId": str(product), "quantity": 2}]}
    answers = await asyncio.gather(*(shop.refund(sale["id"], body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"refund_exceeds_sale"}
    assert shop.stock(product) == (9, 1)
    assert shop.payments.of_sale(sale["id"]).refunded_minor == 6000


async def test_the_same_key_is_the_same_refund(shop: Any) -> None:
    sale = await shop.sell(shop.product(), method="CASH")
    key, body = uuid4().hex, {"amount": "10.00"}
    first, again = await shop.refund(sale["id"], body, key=key), await shop.refund(sale["id"], body, key=key)
    assert first.content == again.content
    assert len(await shop.refunds(sale["id"])) == 1
    assert (await shop.refund(sale["id"], {"amount": "11.00"}, key=key)).status_code == 422


async def test_what_the_provider_did_in_its_own_back_office(shop: Any) -> None:
    sale = await shop.paid(shop.product())
    await shop.deliver(shop.refunded(sale["id"], "20.00", "PARTIALLY_REFUNDED"))
    after = await shop.get(sale["id"])
    assert (after["status"], after["refundedAmount"]) == ("PARTIALLY_REFUNDED", "20.00")
    shop.payments.of_sale(sale["id"]).refunded_minor = 2000
    refund = await given_back(shop, sale)
    assert (refund["amount"], refund["saleStatus"]) == ("130.50", "REFUNDED")


async def test_chilean_coins_go_back_as_they_came(open_shop: Any) -> None:
    shop = open_shop(Country.CL)
    product = shop.product("1994", tax_rate="0.19")
    sale = await shop.sell(product, quantity=3, method="CASH", payment={"tendered": "6000"})
    assert (sale["total"], sale["rounding"], sale["change"], sale["payments"][0]["amount"]) == (
        "5982",
        "-2",
        "20",
        "5980",
    )
    body = {"items": [{"productId": str(product), "quantity": 1}]}
    refunds = [await given_back(shop, sale, body) for _ in range(3)]
    assert [money_of(refund) for refund in refunds] == [[("CASH", "1990")], [("CASH", "1990")], [("CASH", "2000")]]
    assert [refund["rounding"] for refund in refunds] == ["-4", "-4", "6"]
    assert refunds[-1]["saleStatus"] == "REFUNDED"


async def test_who_may(shop: Any) -> None:
    product = shop.product("900.00")
    sale = await shop.sell(product, quantity=3, method="CASH")
    cashier = make_principal(works_at=[(shop.business.id, [shop.branch.id])])
    other = make_principal(works_at=[(shop.business.id, [new_id()])])
    one = {"items": [{"productId": str(product), "quantity": 1}]}
    assert await refused(shop, sale, one, caller=other) == (403, "branch_forbidden")
    assert await refused(shop, sale, one, caller=make_principal(owns=[new_id()])) == (404, "sale_not_found")
    assert await refused(shop, sale, caller=cashier) == (403, "refund_needs_owner")
    assert [(await shop.refund(sale["id"], one, caller=cashier)).status_code for _ in range(3)] == [201, 201, 403]
    assert (await shop.refund(sale["id"], one)).status_code == 201


async def test_a_drawer_that_is_closed(shop: Any) -> None:
    path = await drawer_of(shop)
    sale = await shop.sell(shop.product(), method="CASH")
    headers = shop.sut.as_(shop.owner)
    closed = await shop.sut.client.post(f"{path}/close", json={"closingCash": "650.50"}, headers=headers)
    assert closed.status_code == 200, closed.text
    assert await refused(shop, sale) == (409, "cash_register_closed")
    assert await shop.refunds(sale["id"]) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"items": []}, (400, "validation_failed")),
        ({"items": [{"quantity": 1}]}, (400, "validation_failed")),
        ({"items": [{"productId": str(UUID(int=7)), "quantity": 1}]}, (422, "item_not_in_sale")),
        ({"items": [{"itemId": str(UUID(int=7)), "quantity": 2**63}]}, (400, "validation_failed")),
        ({"items": [{"itemId": str(UUID(int=7)), "quantity": 1}], "amount": "1"}, (400, "validation_failed")),
        ({"amount": "0"}, (400, "validation_failed")),
        ({"amount": "-1"}, (400, "validation_failed")),
        ({"amount": "150.505"}, (400, "validation_failed")),
        ({"amount": "999999999999999"}, (400, "validation_failed")),
        ({"amount": "150.51"}, (422, "refund_exceeds_sale")),
        ({"reason": "a\u0000b"}, (400, "validation_failed")),
        ({"cashRegisterId": str(UUID(int=9))}, (404, "cash_register_not_found")),
    ],
    ids=str,
)
async def test_what_makes_no_sense(shop: Any, body: dict[str, Any], expected: tuple[int, str]) -> None:
    sale = await shop.sell(shop.product(), method="CASH")
    assert await refused(shop, sale, body) == expected


async def test_only_what_was_sold(shop: Any) -> None:
    waiting = await shop.sell(shop.product())
    assert await refused(shop, waiting) == (409, "sale_not_refundable")
    await shop.cancel(waiting["id"])
    assert await refused(shop, waiting) == (409, "sale_not_refundable")


@pytest.mark.parametrize(
    "refusal",
    [RuleViolation("no", code="return_exceeds_sale"), Conflict("no", code="return_mismatch")],
    ids=lambda refusal: refusal.code,
)
async def test_goods_that_the_catalogue_does_not_take_back(shop: Any, refusal: CobroError) -> None:
    sale = await shop.sell(shop.product(), method="CASH")
    shop.catalog.faults.before("Return", shop.catalog.faults.failing(refusal))
    refund = await given_back(shop, sale)
    assert (refund["status"], refund["note"]) == ("SUCCEEDED", "restock_refused")


async def test_the_event_overtakes_the_answer(shop: Any) -> None:
    """payment.refunded comes before we know that the refund is ours: it is not taken for somebody else's."""
    product = shop.product()
    sale = await shop.paid(product)
    shop.payments.faults.after("RefundPayment", shop.payments.faults.hang)
    request = asyncio.create_task(shop.refund(sale["id"]))
    await asyncio.wait_for(shop.payments.faults.reached.wait(), 5)
    [at_provider] = [
        refund for key, refund in shop.payments.refunds.items() if refund.payment_id == sale["transactionId"]
    ]
    await shop.deliver(shop.refunded(sale["id"], "150.50", refund_id=UUID(at_provider.id)))
    assert (await request).json()["data"]["status"] == "SUCCEEDED"
    assert len(await shop.refunds(sale["id"])) == 1
    assert (await shop.get(sale["id"]))["refundedAmount"] == "150.50"


MOMENTS = ["before", "after"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("method", ["RefundPayment", "Return"])
async def test_a_crash_at_every_step(shop: Any, method: str, moment: str) -> None:
    """The process dies around each call; the resumer ends it, and the caller's retry finds it."""
    path = await drawer_of(shop)
    product, key = shop.product(), uuid4().hex
    parts = [{"method": "CASH", "amount": "50"}, {"method": "QR_DYNAMIC"}]
    sale = await shop.paid(product, payments=parts)
    faults = (shop.catalog if method == "Return" else shop.payments).faults
    faults.reached.clear()
    getattr(faults, moment)(method, faults.hang)
    dying = asyncio.create_task(shop.refund(sale["id"], key=key))
    await asyncio.wait_for(faults.reached.wait(), 5)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    await shop.resume()
    after = await shop.get(sale["id"])
    assert (after["status"], after["refundedAmount"]) == ("REFUNDED", "150.50")
    assert shop.payments.of_sale(sale["id"]).refunded_minor == 10050
    assert (await expected_in(shop, path), shop.stock(product)) == ("500.00", (10, 0))
    assert (await shop.events(sale["id"])).count("sale.refunded") == 1
    [refund] = await shop.refunds(sale["id"])
    async with shop.sut.kit.database.transaction() as unit:
        # The dead request's lease on its key runs out.
        await unit.session.execute(LEASE_OVER, {"key": key})
    again = await shop.refund(sale["id"], key=key)
    assert (again.status_code, again.json()["data"]["id"]) == (201, refund["id"])
    assert len(await shop.refunds(sale["id"])) == 1


async def test_payments_being_down_leaves_it_pending(shop: Any) -> None:
    product = shop.product()
    sale = await shop.paid(product)
    shop.payments.faults.before("RefundPayment", shop.payments.faults.failing(Unavailable("down")))
    assert (await given_back(shop, sale))["status"] == "PENDING"
    await shop.resume()
    assert (await shop.get(sale["id"]))["status"] == "REFUNDED"
