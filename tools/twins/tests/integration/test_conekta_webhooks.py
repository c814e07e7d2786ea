from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from twins.testing import Twins, running_twins


def holds(public_key_pem: str, body: bytes, headers: dict[str, str]) -> bool:
    key = load_pem_public_key(public_key_pem.encode())
    assert isinstance(key, RSAPublicKey)
    digest = next(value for name, value in headers.items() if name.lower() == "digest")
    try:
        key.verify(base64.b64decode(digest, validate=True), body, PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


async def until(check: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            result = check()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.01)


async def settled(twins: Twins, order_id: str) -> list[dict[str, Any]]:
    """The deliveries of an order, once none is pending."""

    async def done() -> bool:
        found = await twins.deliveries(order_id)
        return bool(found) and all(entry["state"] != "pending" for entry in found)

    await until(done)
    return await twins.deliveries(order_id)


async def test_an_event_is_signed_over_the_bytes_that_are_sent(twins: Twins, receiver: Any, conekta: Any) -> None:
    order = await conekta.order(metadata={"ref": "ñandú"})
    await twins.pay(order["id"])
    event = (await receiver.about(order["id"]))[0]
    assert (event["object"], event["type"], event["livemode"]) == ("event", "order.paid", False)
    assert event["data"]["object"]["payment_status"] == "paid"
    body, headers = receiver.received[-1]
    assert holds(twins.public_key_pem, body, headers)
    assert not holds(twins.public_key_pem, body + b" ", headers)


async def test_it_is_repeated_with_the_same_identity_until_a_200(twins: Twins, receiver: Any, conekta: Any) -> None:
    receiver.answers = [500, 204, 302]
    order = await conekta.order()
    await twins.pay(order["id"])
    deliveries = await settled(twins, order["id"])
    assert [(entry["state"], entry["attempts"]) for entry in deliveries] == [("delivered", 4)]
    events = receiver.events(order["id"])
    assert len(events) == 4
    assert len({event["id"] for event in events}) == 1
    assert len({body for body, _ in receiver.received}) == 1


async def test_it_is_given_up_after_the_last_attempt(receiver: Any) -> None:
    receiver.answers = [500] * 50
    async with running_twins(receiver.url, time_scale=1e6) as twins:
        order_id = await make_order(twins)
        await twins.pay(order_id)
        assert [(entry["state"], entry["attempts"]) for entry in await settled(twins, order_id)] == [("failed", 11)]


async def make_order(twins: Twins, **changes: Any) -> str:
    headers = {"Authorization": f"Bearer {twins.api_key}", "Accept": "application/vnd.conekta-v2.3.0+json"}
    body = {
        "currency": "MXN",
        "customer_info": {"name": "A", "email": "a@b.mx", "phone": "5531431590"},
        "line_items": [{"name": "Cobro", "unit_price": 100, "quantity": 1}],
        "checkout": {"type": "HostedPayment"},
    } | changes
    async with twins._session.post(f"{twins.conekta_url}/orders", json=body, headers=headers) as answer:
        return str((await answer.json(content_type=None))["id"])


async def test_orders_deliveries_and_key_survive_a_restart(receiver: Any, tmp_path: Path) -> None:
    receiver.answers = [503]
    async with running_twins(receiver.url, data_dir=tmp_path, time_scale=4) as twins:
        first_key = twins.public_key_pem
        order_id = await make_order(twins, metadata={"ref": "kept"})
        await twins.pay(order_id)
        await receiver.about(order_id)
    async with running_twins(receiver.url, data_dir=tmp_path, time_scale=4) as twins:
        assert twins.public_key_pem == first_key
        assert (await twins.orders("kept"))[0]["payment_status"] == "paid"
        await receiver.about(order_id, count=2)
        assert holds(first_key, *receiver.received[-1])


async def test_only_subscribed_events_are_sent(twins: Twins, receiver: Any, conekta: Any) -> None:
    order = await conekta.order()
    await twins.pay(order["id"])
    await settled(twins, order["id"])
    assert [event["type"] for event in receiver.events(order["id"])] == ["order.paid"]
    _, events, _ = await conekta("GET", "/events")
    assert {event["type"] for event in events["data"]} == {"order.created", "charge.paid", "order.paid"}
    assert events["data"][0]["webhook_status"] == "successful"


async def test_a_new_key_signs_from_then_on(twins: Twins, receiver: Any, conekta: Any) -> None:
    _, key, _ = await conekta("POST", "/webhook_keys", {"active": True})
    order = await conekta.order()
    await twins.pay(order["id"])
    await receiver.about(order["id"])
    assert holds(key["public_key"], *receiver.received[-1])
    assert not holds(twins.public_key_pem, *receiver.received[-1])


class TestFaults:
    async def test_duplicate(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        order = await conekta.order()
        await twins.fault("duplicate", count=3)
        await twins.pay(order["id"])
        await settled(twins, order["id"])
        events = receiver.events(order["id"])
        assert len(events) == 4
        assert len({event["id"] for event in events}) == 1

    async def test_drop(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        order = await conekta.order()
        await twins.fault("drop")
        await twins.pay(order["id"])
        assert await twins.deliveries(order["id"]) == []
        _, events, _ = await conekta("GET", "/events")
        await twins.resend(events["data"][0]["id"])
        assert (await receiver.about(order["id"]))[0]["type"] == "order.paid"

    async def test_late(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        order = await conekta.order()
        await twins.fault("late", seconds=0.5)
        before = asyncio.get_running_loop().time()
        await twins.pay(order["id"])
        await receiver.about(order["id"])
        assert asyncio.get_running_loop().time() - before >= 0.45

    async def test_out_of_order(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        order = await conekta.order()
        await twins.fault("out_of_order", operation="order.paid", seconds=60)
        await twins.pay(order["id"])
        await conekta("POST", f"/orders/{order['id']}/refunds", {"amount": 500, "reason": "other"})
        events = await receiver.about(order["id"], count=2)
        assert [event["type"] for event in events] == ["order.partially_refunded", "order.paid"]

    async def test_wrong_amount_is_well_signed(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        order = await conekta.order()
        await twins.fault("wrong_amount")
        await twins.pay(order["id"])
        event = (await receiver.about(order["id"]))[0]
        assert event["data"]["object"]["amount"] == order["amount"] + 100
        assert holds(twins.public_key_pem, *receiver.received[-1])
        assert (await twins.orders(order["id"]))[0]["amount"] == order["amount"]

    @pytest.mark.parametrize("kind", ["forged", "altered"])
    async def test_a_strangers_post_comes_first_and_once(
        self, twins: Twins, receiver: Any, conekta: Any, kind: str
    ) -> None:
        receiver.answers = [401]
        order = await conekta.order()
        await twins.fault(kind)
        await twins.pay(order["id"])
        await settled(twins, order["id"])
        assert [holds(twins.public_key_pem, *sent) for sent in receiver.received] == [False, True]
        amounts = [json.loads(body)["data"]["object"]["amount"] for body, _ in receiver.received]
        assert amounts[1] == order["amount"]
        assert (amounts[0] != order["amount"]) == (kind == "altered")

    async def test_a_fault_strikes_only_where_it_is_aimed(self, twins: Twins, receiver: Any, conekta: Any) -> None:
        spared, struck = await conekta.order(), await conekta.order()
        await twins.fault("drop", reference=struck["id"], times=None)
        for order in (struck, spared):
            await twins.pay(order["id"])
        await settled(twins, spared["id"])
        assert await twins.deliveries(struck["id"]) == []
