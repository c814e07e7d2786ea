"""Mercado Pago's official client, unmodified but for the host it is given, against the twin."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mercadopago import SDK
from mercadopago.config import RequestOptions
from mercadopago.http import HttpClient
from mercadopago.webhook import InvalidWebhookSignatureError, WebhookSignatureValidator
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.testing import ProviderTwin, running_twins

pytestmark = pytest.mark.contract

_OWN = MercadoPagoTwinSettings()


class LocalClient(HttpClient):  # type: ignore[misc]
    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, method: str, url: str, maxretries: Any = None, **options: Any) -> Any:
        return super().request(method, url.replace("https://api.mercadopago.com", self._url), maxretries, **options)


@pytest.fixture(scope="module")
async def twin(listening: Any) -> AsyncIterator[ProviderTwin]:
    own = MercadoPagoTwinSettings(webhook_url=listening.url, refund_seconds=1e6)
    async with running_twins(mercadopago=own) as twins:
        yield twins.provider("mercadopago")


@pytest.fixture
def sdk(twin: ProviderTwin) -> SDK:
    return SDK(_OWN.access_token.get_secret_value(), http_client=LocalClient(twin.api_url))


async def call(method: Callable[..., Any], *args: Any) -> Any:
    """The client is synchronous, and the twin lives in this very loop."""
    answer = await asyncio.to_thread(method, *args)
    answer.raise_for_status()
    return answer["response"]


def qr_order(reference: str) -> dict[str, Any]:
    return {
        "type": "qr",
        "total_amount": "500.00",
        "description": "Smartphone",
        "external_reference": reference,
        "expiration_time": "PT16M",
        "config": {"qr": {"external_pos_id": _OWN.external_pos_id, "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": "500.00"}]},
    }


def checkout_order(reference: str) -> dict[str, Any]:
    """The fields of examples/order/create_order_checkout_pro.py that are told apart here."""
    return {
        "type": "online",
        "total_amount": "500.00",
        "external_reference": reference,
        "processing_mode": "manual",
        "capture_mode": "automatic",
        "marketplace_fee": "5.00",
        "description": "Travel package with insurance",
        "expiration_time": "P1D",
        "payer": {"email": "buyer@testuser.com", "first_name": "Ana"},
        "config": {
            "statement_descriptor": "MYSTORE",
            "online": {"success_url": "https://example.com/success", "auto_return": "approved"},
            "payment_method": {"max_installments": 12, "not_allowed_types": ["ticket"]},
        },
        "items": [
            {"external_code": "1", "title": "Flight", "quantity": 1, "unit_price": "450.00"},
            {"external_code": "2", "title": "Insurance", "quantity": 1, "unit_price": "50.00"},
        ],
    }


async def test_a_qr_code_is_created_paid_found_and_refunded(twin: ProviderTwin, sdk: SDK) -> None:
    orders, reference = sdk.order(), uuid.uuid4().hex
    order = await call(orders.create, qr_order(reference))
    assert (order["status"], order["currency"], order["country_code"]) == ("created", "ARS", "ARG")
    assert order["type_response"]["qr_data"].startswith("000201010212")

    await twin.pay(reference)
    paid = await call(orders.get, order["id"])
    assert (paid["status"], paid["status_detail"]) == ("processed", "accredited")
    assert paid["transactions"]["payments"][0]["payment_method"]["id"] == "interop_transfer"

    now = datetime.now(UTC)
    span = {
        "external_reference": reference,
        "begin_date": (now - timedelta(days=1)).isoformat(),
        "end_date": (now + timedelta(hours=1)).isoformat(),
    }
    found = await asyncio.to_thread(lambda: list(orders.search_auto_paging_iter(span)))
    assert [entry["id"] for entry in found] == [order["id"]]

    refunded = await call(orders.refund, order["id"])
    [refund] = refunded["transactions"]["refunds"]
    assert (refund["amount"], refund["status"]) == ("500.00", "processing")
    await twin.settle_refunds(reference)
    after = await call(orders.get, order["id"])
    assert (after["status"], after["transactions"]["refunds"][0]["status"]) == ("refunded", "processed")


async def test_a_checkout_is_created_paid_and_partly_refunded(twin: ProviderTwin, sdk: SDK) -> None:
    orders, reference = sdk.order(), uuid.uuid4().hex
    order = await call(orders.create, checkout_order(reference))
    assert order["checkout_url"] == f"{twin.api_url}/checkout/{order['id']}"
    assert "transactions" not in order
    await twin.pay(reference)
    paid = await call(orders.get, order["id"])
    part = {"transactions": [{"id": paid["transactions"]["payments"][0]["id"], "amount": "25.00"}]}
    await call(orders.refund_transaction, order["id"], part)
    await twin.settle_refunds(reference)
    after = await call(orders.get, order["id"])
    assert (after["status"], after["status_detail"]) == ("processed", "partially_refunded")


async def test_an_order_is_canceled_once(sdk: SDK) -> None:
    orders = sdk.order()
    order = await call(orders.create, qr_order(uuid.uuid4().hex))
    assert (await call(orders.cancel, order["id"]))["status"] == "canceled"
    again = await asyncio.to_thread(orders.cancel, order["id"])
    assert (again["status"], again["response"]["errors"][0]["code"]) == (409, "order_already_cancelled")


async def test_an_idempotency_key_of_ones_own_makes_one_order(twin: ProviderTwin, sdk: SDK) -> None:
    reference = uuid.uuid4().hex
    options = RequestOptions(
        access_token=_OWN.access_token.get_secret_value(), custom_headers={"x-idempotency-key": reference}
    )
    first = await call(sdk.order().create, qr_order(reference), options)
    assert await call(sdk.order().create, qr_order(reference), options) == first
    other = await asyncio.to_thread(sdk.order().create, qr_order("another"), options)
    assert (other["status"], other["response"]["errors"][0]["code"]) == (409, "idempotency_key_already_used")
    assert (await twin.journal(reference))["payments"] == 1


async def test_their_validator_accepts_our_signature(twin: ProviderTwin, sdk: SDK, listening: Any) -> None:
    reference = uuid.uuid4().hex
    order = await call(sdk.order().create, checkout_order(reference))
    await twin.pay(reference)
    [(event, headers)] = await listening.mentioning(order["id"])
    headers = {name.lower(): value for name, value in headers.items()}
    secret = _OWN.webhook_secret.get_secret_value()
    WebhookSignatureValidator.validate(headers["x-signature"], headers["x-request-id"], order["id"], secret)
    with pytest.raises(InvalidWebhookSignatureError):
        WebhookSignatureValidator.validate(headers["x-signature"], headers["x-request-id"], "ORD1", secret)
    assert event["action"] == "order.processed"
    assert (headers["x-retry"], headers["x-socket-timeout"]) == ("0", "22000")
