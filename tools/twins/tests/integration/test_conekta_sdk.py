"""Conekta's official client, unmodified but for its host, against the twin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import conekta
import pytest
from conekta.exceptions import ApiException
from twins.testing import Twins

pytestmark = pytest.mark.contract

Answer = TypeVar("Answer")


@pytest.fixture
def client(twins: Twins) -> conekta.ApiClient:
    return conekta.ApiClient(conekta.Configuration(host=twins.conekta_url, access_token=twins.api_key))


async def call(method: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
    """The client is synchronous, and the twin lives in this very loop."""
    return await asyncio.to_thread(method, *args, **kwargs)


def order_request(**changes: Any) -> conekta.OrderRequest:
    values: dict[str, Any] = {
        "currency": "MXN",
        "customer_info": {"name": "Juan Rosas", "email": "a@b.mx", "phone": "5531431590"},
        "line_items": [{"name": "Cobro", "unit_price": 10000, "quantity": 1}],
        "metadata": {"our_payment_id": "sdk-1"},
    }
    return conekta.OrderRequest.from_dict(values | changes)


def checkout(**changes: Any) -> dict[str, Any]:
    values = {"type": "HostedPayment", "name": "Pago", "allowed_payment_methods": ["card", "bank_transfer"]}
    return values | {"expires_at": int(time.time()) + 3600} | changes


async def test_a_checkout_is_created_paid_and_refunded(twins: Twins, client: conekta.ApiClient) -> None:
    api = conekta.OrdersApi(client)
    order = await call(api.create_order, order_request(checkout=checkout()))
    assert order.amount == 10000
    assert order.payment_status is None
    assert order.checkout.status == "Issued"
    assert order.checkout.url.startswith(twins.conekta_url + "/checkout/")

    await twins.pay("sdk-1")
    paid = await call(api.get_order_by_id, order.id)
    assert paid.payment_status == "paid"
    assert paid.charges.data[0].payment_method.actual_instance.last4 == "4242"

    request = conekta.OrderRefundRequest(amount=4000, reason="requested_by_client")
    refunded = await call(api.order_refund, order.id, request)
    assert refunded.payment_status == "partially_refunded"
    assert refunded.amount_refunded == 4000
    assert refunded.charges.data[0].refunds.data[0].amount == -4000


async def test_a_transfer_gets_a_clabe(twins: Twins, client: conekta.ApiClient) -> None:
    api = conekta.OrdersApi(client)
    charge = {"amount": 10000, "payment_method": {"type": "spei", "expires_at": int(time.time()) + 3600}}
    order = await call(api.create_order, order_request(charges=[charge | {"reference_id": "sdk-2"}]))
    assert order.payment_status == "pending_payment"
    method = order.charges.data[0].payment_method.actual_instance
    assert isinstance(method, conekta.PaymentMethodBankTransfer)
    assert len(method.clabe) == 18
    weighted = sum(int(digit) * weight % 10 for digit, weight in zip(method.clabe[:17], (3, 7, 1) * 6, strict=False))
    assert (weighted + int(method.clabe[17])) % 10 == 0
    assert (await call(api.get_orders, search="sdk-2")).data[0].id == order.id


async def test_a_pending_order_is_cancelled(client: conekta.ApiClient) -> None:
    api = conekta.OrdersApi(client)
    order = await call(api.create_order, order_request(checkout=checkout()))
    cancelled = await call(api.cancel_order, order.id)
    assert cancelled.payment_status == "canceled"
    assert cancelled.checkout.status == "Cancelled"


async def test_orders_are_listed_in_pages(client: conekta.ApiClient) -> None:
    api = conekta.OrdersApi(client)
    ids = [(await call(api.create_order, order_request(checkout=checkout()))).id for _ in range(3)]
    first = await call(api.get_orders, limit=2)
    assert [order.id for order in first.data] == ids[:0:-1]
    assert first.has_more
    second = await call(api.get_orders, limit=2, next=first.data[-1].id)
    assert [order.id for order in second.data] == ids[:1]
    assert not second.has_more
    assert (await call(api.get_orders, payment_status="paid")).data == []


async def test_a_webhook_key_shows_itself_once(twins: Twins, client: conekta.ApiClient) -> None:
    api = conekta.WebhookKeysApi(client)
    key = await call(api.create_webhook_key, webhook_key_request=conekta.WebhookKeyRequest(active=True))
    assert key.public_key.startswith("-----BEGIN PUBLIC KEY-----")
    assert (await call(api.get_webhook_key, key.id)).public_key is None
    assert [entry.id for entry in (await call(api.get_webhook_keys)).data] == [key.id]
    update = conekta.WebhookKeyUpdateRequest(active=False)
    assert (await call(api.update_webhook_key, key.id, webhook_key_update_request=update)).active is False
    assert (await call(api.delete_webhook_key, key.id)).deleted is True


async def test_webhooks_and_events(twins: Twins, receiver: Any, client: conekta.ApiClient) -> None:
    webhooks = conekta.WebhooksApi(client)
    request = conekta.WebhookRequest(url="https://shop.example/hook", subscribed_events=["order.voided"])
    made = await call(webhooks.create_webhook, request)
    assert made.status == "listening"
    assert made.id in [entry.id for entry in (await call(webhooks.get_webhooks)).data]
    await call(webhooks.delete_webhook, made.id)

    order = await call(conekta.OrdersApi(client).create_order, order_request(checkout=checkout()))
    await twins.pay(order.id)
    events = conekta.EventsApi(client)
    event = (await call(events.get_events, limit=1)).data[0]
    assert event.type == "order.paid"
    assert event.data["object"]["id"] == order.id
    assert (await call(events.get_event, event.id)).id == event.id
    ids = [entry.id for entry in (await call(webhooks.get_webhooks)).data]
    request = conekta.ResendEventRequest(webhooks_ids=ids)
    assert (await call(events.resend_event, event.id, request)).url == receiver.url


@pytest.mark.parametrize(
    ("status", "code", "act"),
    [
        (404, "conekta.errors.resource_not_found.entity", lambda api: api.get_order_by_id("ord_unknown")),
        (428, "conekta.errors.precondition_required.order.not_paid", None),
    ],
)
async def test_errors_have_conektas_form(client: conekta.ApiClient, status: int, code: str, act: Any) -> None:
    api = conekta.OrdersApi(client)
    order = await call(api.create_order, order_request(checkout=checkout()))
    refund = conekta.OrderRefundRequest(amount=1, reason="other")
    with pytest.raises(ApiException) as caught:
        await call(act or (lambda api: api.order_refund(order.id, refund)), api)
    assert caught.value.status == status
    assert code in caught.value.body


async def test_a_wrong_key_is_unauthorized(twins: Twins) -> None:
    client = conekta.ApiClient(conekta.Configuration(host=twins.conekta_url, access_token="key_wrong"))
    with pytest.raises(ApiException) as caught:
        await call(conekta.OrdersApi(client).get_orders)
    assert caught.value.status == 401
    assert "conekta.errors.authentication.missing_key" in caught.value.body
