from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twins.faults import Fault, FaultKind, FaultPlan
from twins.mercadopago import shapes
from twins.mercadopago.errors import ApiError
from twins.mercadopago.ledger import Ledger, Seller
from twins.mercadopago.requests import Order, RefundTransactions
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.store import Store
from twins.testing import ProviderTwin, running_twins

OWN = MercadoPagoTwinSettings()


class Api:
    """The Orders API by hand."""

    def __init__(self, twin: ProviderTwin, session: aiohttp.ClientSession) -> None:
        self._url = twin.api_url
        self._session = session

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str | None) -> tuple[int, Any]:
        sent: dict[str, str | None] = {
            "Authorization": f"Bearer {OWN.access_token.get_secret_value()}",
            "X-Idempotency-Key": uuid.uuid4().hex,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        chosen = {name: value for name, value in sent.items() if value is not None}
        data = body if isinstance(body, bytes) else None
        async with self._session.request(
            method, f"{self._url}/v1/orders{path}", headers=chosen, data=data, json=None if data is not None else body
        ) as answer:
            return answer.status, await answer.json()

    async def order(self, **changes: Any) -> dict[str, Any]:
        status, order = await self("POST", "", order_body(**changes))
        assert status == 201, order
        return order  # type: ignore[no-any-return]


def order_body(**changes: Any) -> dict[str, Any]:
    body = {
        "type": "qr",
        "total_amount": "50.00",
        "external_reference": uuid.uuid4().hex,
        "config": {"qr": {"external_pos_id": OWN.external_pos_id, "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": "50.00"}]},
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


def checkout_body(**changes: Any) -> dict[str, Any]:
    online = {
        "type": "online",
        "processing_mode": "manual",
        "config": {},
        "transactions": None,
        "items": [{"title": "Café", "quantity": 2, "unit_price": "25.00"}],
    }
    return order_body(**online | changes)


@pytest.fixture(scope="module")
async def twin(listening: Any) -> AsyncIterator[ProviderTwin]:
    own = MercadoPagoTwinSettings(webhook_url=listening.url, refund_seconds=1e9)
    async with running_twins(mercadopago=own, time_scale=3000) as twins:
        yield twins.provider("mercadopago")


@pytest.fixture
async def api(twin: ProviderTwin, receiver: Any) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(twin, session)


def first_error(body: dict[str, Any]) -> tuple[str, str]:
    [error] = body["errors"]
    return error["code"], " ".join(error.get("details", []))


async def silence(twin: ProviderTwin) -> None:
    """Until nothing that happened before is still being told."""
    async with asyncio.timeout(10):
        while True:
            if all(delivery["state"] != "pending" for delivery in await twin.deliveries()):
                return
            await asyncio.sleep(0.01)


class TestAdmission:
    @pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic eA==", "Bearer"])
    async def test_a_call_without_the_token_is_refused(self, api: Api, authorization: str | None) -> None:
        status, body = await api("GET", "/ORD1", Authorization=authorization)
        assert (status, first_error(body)[0]) == (401, "unauthorized")

    async def test_a_write_needs_an_idempotency_key(self, api: Api) -> None:
        status, body = await api("POST", "", order_body(), X_Idempotency_Key=None)
        assert (status, first_error(body)[0]) == (400, "empty_required_header")


class TestCreate:
    @pytest.mark.parametrize(
        ("changes", "code", "place"),
        [
            ({"type": "point"}, "property_value", "$.type"),
            ({"total_amount": None}, "required_properties", "$.total_amount"),
            ({"total_amount": "50.5"}, "property_value", "$.total_amount"),
            ({"total_amount": "-1.00"}, "property_value", "$.total_amount"),
            ({"total_amount": "0.00"}, "property_value", "$.total_amount"),
            ({"total_amount": "51.00"}, "invalid_total_amount", ""),
            ({"external_reference": "ñ"}, "property_value", "$.external_reference"),
            ({"external_reference": "x" * 65}, "property_value", "$.external_reference"),
            ({"expiration_time": "16 minutes"}, "property_value", "$.expiration_time"),
            ({"expiration_time": "PT"}, "property_value", "$.expiration_time"),
            ({"config": None}, "required_properties", "$.config.qr"),
            ({"config": {"qr": {"external_pos_id": "OTHER"}}}, "pos_not_found", ""),
            ({"transactions": None}, "required_properties", "$.transactions"),
            ({"transactions": {"payments": []}}, "property_value", "$.transactions.payments"),
        ],
    )
    async def test_what_is_refused(self, api: Api, changes: dict[str, Any], code: str, place: str) -> None:
        status, body = await api("POST", "", order_body(**changes))
        assert status in (400, 404)
        assert first_error(body)[0] == code
        assert place in first_error(body)[1]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"processing_mode": "automatic"}, "property_value"),
            ({"items": None}, "required_properties"),
            ({"total_amount": "49.00"}, "invalid_total_amount"),
            ({"payer": {"email": "nobody"}}, "property_value"),
            ({"config": {"online": {"success_url": "javascript:alert(1)"}}}, "property_value"),
        ],
    )
    async def test_what_is_refused_of_a_checkout(self, api: Api, changes: dict[str, Any], code: str) -> None:
        status, body = await api("POST", "", checkout_body(**changes))
        assert (status, first_error(body)[0]) == (400, code)

    @pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 50_000])
    async def test_what_is_no_order_is_refused(self, api: Api, body: bytes) -> None:
        assert (await api("POST", "", body))[0] == 400

    @pytest.mark.parametrize("amount", ["50", 50, 50.0])
    async def test_amounts_may_be_bare(self, api: Api, amount: Any) -> None:
        order = await api.order(total_amount=amount, transactions={"payments": [{"amount": amount}]})
        assert order["total_amount"] == "50.00"

    async def test_a_qr_code_is_well_formed(self, api: Api) -> None:
        code = (await api.order())["type_response"]["qr_data"]
        assert code.endswith(f"{shapes.crc16(code[:-4].encode()):04X}")
        assert "540550.00" in code
        assert "5303032" in code

    def test_the_checksum_is_the_one_of_emvco(self) -> None:
        """CRC-16/CCITT-FALSE, by its check value."""
        assert shapes.crc16(b"123456789") == 0x29B1

    async def test_internal_fields_are_not_shown(self, api: Api) -> None:
        order = await api.order()
        _, again = await api("GET", f"/{order['id']}")
        assert again == order
        assert not [name for name in order if name.startswith("_")]


class TestSearch:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "?begin_date=2026-01-01T00:00:00Z",
            "?begin_date=x&end_date=y",
            "?begin_date=2026-01-01T00:00:00Z&end_date=2026-03-01T00:00:00Z",
            "?begin_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z",
            "?begin_date=2026-01-01&end_date=2026-01-02",
        ],
    )
    async def test_a_span_of_a_month_at_most_is_needed(self, api: Api, query: str) -> None:
        assert (await api("GET", query))[0] == 400


class TestLife:
    async def test_a_payment_is_counted_once(self, twin: ProviderTwin, api: Api) -> None:
        order = await api.order()
        answers = await asyncio.gather(*(twin.pay(order["id"]) for _ in range(3)), return_exceptions=True)
        assert sum(isinstance(answer, dict) for answer in answers) == 1
        journal = await twin.journal(order["external_reference"])
        assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, 5000)

    async def test_refunds_never_exceed_the_payment(self, twin: ProviderTwin, api: Api) -> None:
        _, order = await api("POST", "", checkout_body())
        assert first_error((await api("POST", f"/{order['id']}/refund"))[1])[0] == "cannot_refund_order"
        paid = await twin.pay(order["id"])
        part = {"transactions": [{"id": paid["transactions"]["payments"][0]["id"], "amount": "20.00"}]}
        answers = await asyncio.gather(*(api("POST", f"/{order['id']}/refund", part) for _ in range(4)))
        assert sorted(status for status, _ in answers) == [201, 201, 409, 409]

    @pytest.mark.parametrize(("amount", "works"), [(4999, False), (5000, True)])
    def test_a_qr_payment_is_refunded_whole_alone(self, amount: int, works: bool) -> None:
        ledger, _ = make_ledger()
        order = ledger.create(Order.model_validate(order_body()))
        payment = ledger.pay(order["id"])["transactions"]["payments"][0]
        entry = {"transactions": [{"id": payment["id"], "amount": shapes.money(amount)}]}
        if works:
            ledger.refund(order["id"], RefundTransactions.model_validate(entry))
        else:
            with pytest.raises(ApiError, match="operation_not_supported"):
                ledger.refund(order["id"], RefundTransactions.model_validate(entry))

    def test_an_order_expires_and_a_refund_is_carried_out_by_themselves(self) -> None:
        now = [1_000_000.0]
        events: list[str] = []
        ledger, _ = make_ledger(events, now)
        first = ledger.create(Order.model_validate(order_body(expiration_time="PT5M")))
        second = ledger.create(Order.model_validate(order_body(expiration_time="PT5M")))
        ledger.pay(second["id"])
        ledger.refund(second["id"], None)
        now[0] += 59
        assert ledger.expire_due() == 0
        now[0] += 1
        assert ledger.expire_due() == 1
        assert ledger.get(second["id"])["status"] == "refunded"
        now[0] += 300
        assert ledger.expire_due() == 1
        assert ledger.get(first["id"])["status"] == "expired"
        assert ledger.expire_due() == 0
        assert events == ["order.processed", "order.refunded", "order.expired"]

    def test_a_refund_may_be_turned_down_by_a_fault(self) -> None:
        ledger, faults = make_ledger()
        order = ledger.create(Order.model_validate(order_body()))
        ledger.pay(order["id"])
        ledger.refund(order["id"], None)
        faults.arm(Fault(kind=FaultKind.REFUND_DECLINED, reference=order["external_reference"]))
        settled = ledger.settle_refunds(order["id"], approved=True)
        assert settled["transactions"]["refunds"][0]["status"] == "failed"
        assert settled["status"] == "processed"
        assert ledger.tally([settled]).refunds == 0


class TestNotifications:
    async def test_each_change_is_told_with_a_growing_version(
        self, twin: ProviderTwin, api: Api, receiver: Any
    ) -> None:
        order = await api.order()
        await twin.pay(order["id"])
        await receiver.mentioning(order["id"], 1)
        await api("POST", f"/{order['id']}/refund")
        await twin.settle_refunds(order["id"])
        found = [event for event, _ in await receiver.mentioning(order["id"], 2)]
        assert [event["action"] for event in found] == ["order.processed", "order.refunded"]
        assert [event["data"]["version"] for event in found] == [2, 3]
        assert found[0]["data"]["transactions"]["payments"][0]["status_detail"] == "accredited"

    async def test_it_is_repeated_until_a_200_or_201(self, twin: ProviderTwin, api: Api, receiver: Any) -> None:
        order = await api.order()
        await silence(twin)
        receiver.answers = [500, 204, 201]
        await twin.pay(order["id"])
        found = [headers for _, headers in await receiver.mentioning(order["id"], 3)]
        assert [headers["X-Retry"] for headers in found] == ["0", "1", "2"]
        assert len({(headers["X-Signature"], headers["X-Request-ID"]) for headers in found}) == 1

    async def test_orders_and_notifications_survive_a_restart(self, listening: Any, tmp_path: Path) -> None:
        own = MercadoPagoTwinSettings(webhook_url=listening.url)
        listening.answers[:] = [503]
        listening.received.clear()
        async with running_twins(mercadopago=own, data_dir=tmp_path, time_scale=900) as twins:
            twin = twins.provider("mercadopago")
            async with aiohttp.ClientSession() as session:
                order = await Api(twin, session).order()
            await twin.pay(order["id"])
            await listening.mentioning(order["id"], 1)
        async with running_twins(mercadopago=own, data_dir=tmp_path, time_scale=900) as twins:
            [kept] = await twins.provider("mercadopago").payments(order["external_reference"])
            assert kept["status"] == "processed"
            await listening.mentioning(order["id"], 2)


class TestBuyersPage:
    @pytest.mark.parametrize(("language", "label"), [("es", "Pagar"), ("pt", "Deixar vencer"), ("en", "Let it expire")])
    async def test_it_speaks_the_buyers_language(
        self, api: Api, http: aiohttp.ClientSession, language: str, label: str
    ) -> None:
        _, order = await api("POST", "", checkout_body(description="<Café>"))
        async with http.get(order["checkout_url"], headers={"Accept-Language": f"{language}-AR,x;q=0.1"}) as answer:
            page = await answer.text()
        assert label in page
        assert "&lt;Café&gt;" in page

    @pytest.mark.parametrize(("button", "status"), [("pay", "processed"), ("decline", "failed"), ("expire", "expired")])
    async def test_its_buttons_work(
        self, twin: ProviderTwin, api: Api, http: aiohttp.ClientSession, button: str, status: str
    ) -> None:
        _, order = await api("POST", "", checkout_body())
        async with http.post(f"{order['checkout_url']}/{button}") as answer:
            assert answer.status == 200
        assert (await twin.payments(order["id"]))[0]["status"] == status

    async def test_an_unknown_page_is_absent(self, twin: ProviderTwin, http: aiohttp.ClientSession) -> None:
        async with http.get(f"{twin.api_url}/checkout/ORD1") as answer:
            assert answer.status == 404


def make_ledger(events: list[str] | None = None, now: list[float] | None = None) -> tuple[Ledger, FaultPlan]:
    faults = FaultPlan()
    told = [] if events is None else events
    seller = Seller(OWN.user_id, OWN.external_pos_id, "http://x")
    clock = now or [1_000_000.0]
    ledger = Ledger(
        Store(), lambda action, _: told.append(action), faults, seller, refund_seconds=60, now=lambda: clock[0]
    )
    return ledger, faults
