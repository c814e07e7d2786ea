from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import aiohttp
import pytest
from twins.conekta.errors import ApiError
from twins.conekta.ledger import ORDER, Ledger
from twins.conekta.requests import Order, Refund
from twins.store import Store
from twins.testing import ControlRefused, Twins, running_twins


class TestAdmission:
    @pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", "Basic !!", "Digest key_twin"])
    async def test_a_call_without_the_key_is_refused(self, conekta: Any, authorization: str) -> None:
        status, error, _ = await conekta("GET", "/orders", Authorization=authorization)
        assert (status, error["type"]) == (401, "authentication_error")
        assert error["details"][0]["code"] == "conekta.errors.authentication.missing_key"

    async def test_the_older_basic_form_is_accepted(self, conekta: Any) -> None:
        basic = base64.b64encode(b"key_twin:").decode()
        assert (await conekta("GET", "/orders", Authorization=f"Basic {basic}"))[0] == 200

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "application/vnd.conekta-v2.0.0+json"])
    async def test_the_version_must_be_named(self, conekta: Any, accept: str) -> None:
        assert (await conekta("GET", "/orders", Accept=accept))[0] == 406

    async def test_answers_name_their_version(self, conekta: Any) -> None:
        _, _, headers = await conekta("GET", "/orders")
        assert headers["Content-Type"].startswith("application/vnd.conekta-v2.3.0+json")
        assert headers["Conekta-Media-Type"] == "conekta-v2.3.0; format=application/json"


class TestCreate:
    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"currency": "EUR"}, "currency"),
            ({"customer_info": {"name": "A"}}, "customer_info"),
            ({"customer_info": None}, "customer_info"),
            ({"line_items": []}, "line_items"),
            ({"line_items": [{"name": "x", "unit_price": 1.5, "quantity": 1}]}, "line_items.0.unit_price"),
            ({"line_items": [{"name": "x", "unit_price": -1, "quantity": 1}]}, "line_items.0.unit_price"),
            ({"line_items": [{"name": "x", "unit_price": 0, "quantity": 1}]}, "line_items"),
            ({"checkout": {"type": "HostedPayment", "expires_at": 1}}, "checkout.expires_at"),
            ({"checkout": {"type": "HostedPayment", "allowed_payment_methods": ["gold"]}}, None),
            ({"checkout": None, "charges": [{"amount": 1, "payment_method": {"type": "spei"}}]}, "charges.0.amount"),
            ({"charges": [{"payment_method": {"type": "spei"}}]}, "checkout"),
        ],
    )
    async def test_what_conekta_refuses(self, conekta: Any, changes: dict[str, Any], param: str | None) -> None:
        body = {
            "currency": "MXN",
            "customer_info": {"name": "A", "email": "a@b.mx", "phone": "5531431590"},
            "line_items": [{"name": "x", "unit_price": 100, "quantity": 1}],
            "checkout": {"type": "HostedPayment"},
        }
        body = {key: value for key, value in (body | changes).items() if value is not None}
        status, error, _ = await conekta("POST", "/orders", body)
        assert (status, error["object"], error["type"]) == (422, "error", "parameter_validation_error")
        assert param is None or error["details"][0]["param"] == param

    @pytest.mark.parametrize(
        "body", [b"{", b"[]", b"null", b'"x"', b"\xff\xff", b"[" * 50_000, b'{"currency": "\\ud800"}']
    )
    async def test_what_is_no_order_is_refused(self, conekta: Any, body: bytes) -> None:
        status, error, _ = await conekta("POST", "/orders", body, **{"Content-Type": "application/json"})
        assert (status, error["object"]) == (422, "error")

    @pytest.mark.parametrize(
        ("seconds", "status"), [(299 - 10, 422), (330, 200), (364 * 86_400, 200), (366 * 86_400, 422)]
    )
    async def test_a_checkout_lives_five_minutes_to_a_year(self, conekta: Any, seconds: int, status: int) -> None:
        body = {
            "currency": "MXN",
            "customer_info": {"name": "A", "email": "a@b.mx", "phone": "5531431590"},
            "line_items": [{"name": "x", "unit_price": 100, "quantity": 1}],
            "checkout": {"type": "HostedPayment", "expires_at": int(time.time()) + seconds},
        }
        assert (await conekta("POST", "/orders", body))[0] == status


class TestLife:
    async def test_a_payment_is_counted_once(self, twins: Twins, conekta: Any) -> None:
        order = await conekta.order(metadata={"ref": "once"})
        await twins.pay("once")
        with pytest.raises(ControlRefused) as caught:
            await twins.pay("once")
        assert caught.value.status == 428
        journal = await twins.journal("once")
        assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, order["amount"])

    async def test_refunds_never_exceed_the_payment(self, twins: Twins, conekta: Any) -> None:
        order = await conekta.order()
        path = f"/orders/{order['id']}/refunds"
        assert (await conekta("POST", path, {"amount": 1, "reason": "other"}))[0] == 428
        await twins.pay(order["id"])
        answers = await asyncio.gather(*(conekta("POST", path, {"amount": 6000, "reason": "other"}) for _ in range(5)))
        assert sorted(status for status, _, _ in answers) == [200, 200, 200, 422, 422]
        assert (await twins.journal(order["id"]))["refunded_amount"] == 18000

    async def test_a_refund_may_be_turned_down_by_a_fault(self, twins: Twins, conekta: Any) -> None:
        order = await conekta.order()
        await twins.pay(order["id"])
        await twins.fault("refund_declined", reference=order["id"])
        refund = {"amount": 500, "reason": "other"}
        assert (await conekta("POST", f"/orders/{order['id']}/refunds", refund))[0] == 402
        assert (await twins.journal(order["id"]))["refunds"] == 0
        assert (await conekta("POST", f"/orders/{order['id']}/refunds", refund))[0] == 200

    @pytest.mark.parametrize("switch", [False, True])
    def test_a_paid_transfer_is_refundable_only_where_that_is_switched_on(self, switch: bool) -> None:
        store = Store()
        ledger = Ledger(store, lambda kind, resource: None, "http://x", spei_refunds=switch)
        order = ledger.create(Order.model_validate(spei_body()))
        assert ledger.pay(order["id"])["is_refundable"] is switch
        refund = Refund(amount=100, reason="other")
        if switch:
            assert ledger.refund(order["id"], refund)["payment_status"] == "refunded"
        else:
            with pytest.raises(ApiError):
                ledger.refund(order["id"], refund)
        store.close()

    def test_an_order_expires_by_itself_and_says_so(self) -> None:
        now = [1_000_000.0]
        store = Store()
        events: list[str] = []
        ledger = Ledger(store, lambda kind, _: events.append(kind), "http://x", spei_refunds=False, now=lambda: now[0])
        order = ledger.create(Order.model_validate(spei_body() | {"charges": [charge(expires_at=1_000_600)]}))
        now[0] += 599
        assert ledger.expire_due() == 0
        now[0] += 1
        assert ledger.expire_due() == 1
        assert ledger.expire_due() == 0
        assert ledger.get(order["id"])["payment_status"] == "expired"
        assert events[-2:] == ["charge.expired", "order.expired"]
        assert store.newest(ORDER, 1)[0]["charges"]["data"][0]["status"] == "expired"
        store.close()

    async def test_the_end_is_the_end_unless_forced(self, twins: Twins, conekta: Any) -> None:
        order = await conekta.order()
        await twins.decline(order["id"])
        for act in (twins.pay, twins.decline, twins.expire):
            with pytest.raises(ControlRefused):
                await act(order["id"])
        assert (await conekta("POST", f"/orders/{order['id']}/cancel"))[0] == 428
        assert (await twins.pay(order["id"], force=True))["payment_status"] == "paid"


class TestFaults:
    async def test_the_money_is_taken_and_the_answer_never_comes(self, twins: Twins, conekta: Any) -> None:
        await twins.fault("timeout_after_charging", operation="orders.create", seconds=30)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await conekta.order(metadata={"ref": "lost"})
        assert (await twins.journal("lost"))["payments"] == 1

    @pytest.mark.parametrize(
        ("kind", "status", "orders"), [("http_500", 500, 0), ("http_500_after_charging", 500, 1), ("http_429", 429, 0)]
    )
    async def test_errors(self, twins: Twins, conekta: Any, kind: str, status: int, orders: int) -> None:
        await twins.fault(kind)
        body = spei_body() | {"metadata": {"ref": kind}}
        answered, error, headers = await conekta("POST", "/orders", body)
        assert (answered, error["object"]) == (status, "error")
        assert ("Retry-After" in headers) == (status == 429)
        journal = await twins.journal(kind)
        assert journal["payments"] == orders
        assert [(call["operation"], call["status"], call["fault"]) for call in journal["calls"]] == [
            ("orders.create", status, kind)
        ]

    async def test_a_seeded_probability_repeats_itself(self, twins: Twins, conekta: Any) -> None:
        runs = []
        for _ in range(2):
            await twins.fault("http_500", probability=0.5, seed=7, times=None)
            runs.append([(await conekta("GET", "/orders"))[0] for _ in range(12)])
            await twins.clear_faults()
        assert runs[0] == runs[1]
        assert set(runs[0]) == {200, 500}

    async def test_an_unknown_fault_is_refused(self, twins: Twins) -> None:
        for options in ({"kind": "earthquake"}, {"kind": "drop", "tiems": 2}, {"kind": "drop", "times": 0}):
            with pytest.raises(ControlRefused) as caught:
                await twins.fault(**options)
            assert caught.value.status == 422

    async def test_reset_forgets_everything_but_the_key(self, twins: Twins, conekta: Any) -> None:
        await conekta.order(metadata={"ref": "gone"})
        await twins.fault("http_500", times=None)
        await twins.reset()
        assert await twins.orders("gone") == []
        assert (await conekta("GET", "/orders"))[0] == 200


class TestPages:
    async def test_a_person_pays_with_the_button(self, twins: Twins, conekta: Any, http: aiohttp.ClientSession) -> None:
        order = await conekta.order(line_items=[{"name": "<script>x</script>", "unit_price": 12345, "quantity": 1}])
        url = order["checkout"]["url"]
        async with http.get(url) as answer:
            page = await answer.text()
        assert "$ 123.45 MXN" in page
        assert "<script>" not in page
        for label in ("Pagar", "Rechazar", "Dejar vencer"):
            assert label in page
        async with http.post(f"{url}/pay") as answer:
            assert "Pagado" in await answer.text()
        assert (await twins.orders(order["id"]))[0]["payment_status"] == "paid"
        async with http.post(f"{url}/pay") as answer:
            assert answer.status == 200

    @pytest.mark.parametrize("path", ["/conekta/checkout/none", "/outbox/none"])
    async def test_what_does_not_exist_is_a_clear_404(
        self, twins: Twins, http: aiohttp.ClientSession, path: str
    ) -> None:
        async with http.get(twins.url + path) as answer:
            assert answer.status == 404

    async def test_transfers_are_paid_on_the_overview(
        self, twins: Twins, conekta: Any, http: aiohttp.ClientSession
    ) -> None:
        order = await conekta.order(checkout=None, charges=[charge()])
        async with http.get(f"{twins.url}/conekta/pagos") as answer:
            assert order["charges"]["data"][0]["payment_method"]["clabe"] in await answer.text()
        async with http.post(f"{twins.url}/conekta/pagos/{order['id']}/pay") as answer:
            assert "Pagado" in await answer.text()


async def test_links_follow_the_public_address() -> None:
    async with running_twins(public_url="https://twins.example/") as twins, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {twins.api_key}", "Accept": "application/vnd.conekta-v2.3.0+json"}
        body = spei_body() | {"charges": None, "checkout": {"type": "HostedPayment"}}
        async with session.post(f"{twins.conekta_url}/orders", json=body, headers=headers) as answer:
            order = await answer.json(content_type=None)
    assert order["checkout"]["url"].startswith("https://twins.example/conekta/checkout/")


def spei_body() -> dict[str, Any]:
    return {
        "currency": "MXN",
        "customer_info": {"name": "A", "email": "a@b.mx", "phone": "5531431590"},
        "line_items": [{"name": "x", "unit_price": 100, "quantity": 1}],
        "charges": [charge()],
    }


def charge(expires_at: int | None = None) -> dict[str, Any]:
    return {"payment_method": {"type": "spei", "expires_at": expires_at}}
