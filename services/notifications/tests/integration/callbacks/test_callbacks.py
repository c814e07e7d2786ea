import base64
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from chassis.testing.service import ServiceUnderTest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from kernel import new_id
from twins.testing import Twins

pytestmark = pytest.mark.integration

TWILIO, SENDGRID = "/api/v1/notifications/callbacks/twilio", "/api/v1/notifications/callbacks/sendgrid"
HIGH = "notifications.high"


async def twilio(sut: ServiceUnderTest, id: str, status: str, *, token: str = "token-of-the-tests") -> Any:
    fields = {"MessageSid": f"SM{id.replace('-', '')}", "MessageStatus": status}
    path = f"{TWILIO}?notification={id}"
    text = f"https://cobro.mx{path}" + "".join(name + value for name, value in sorted(fields.items()))
    signature = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return await sut.client.post(path, content=urlencode(fields), headers=headers)


async def sendgrid(sut: ServiceUnderTest, keys: Any, *events: dict[str, Any]) -> Any:
    body, timestamp = json.dumps(events).encode(), "1700000000"
    signature = keys.sendgrid.sign(timestamp.encode() + body, ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return await sut.client.post(SENDGRID, content=body, headers=headers)


@pytest.fixture
async def sms(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any, send_all: Any, listed: Any
) -> Any:
    await sut.deliver(HIGH, receipt(shop, peers.bought(phone=phones())))
    await send_all()
    return (await listed(shop))[0]


async def test_what_twilio_reports_is_recorded_once_in_any_order(
    sut: ServiceUnderTest, shop: Any, sms: Any, listed: Any
) -> None:
    for status in ("delivered", "sent", "delivered"):
        assert (await twilio(sut, sms["id"], status)).status_code == 204

    (row,) = await listed(shop, deliveryStatus="DELIVERED")
    assert (row["status"], row["deliveryStatus"]) == ("SENT", "DELIVERED")
    shown = await sut.client.get(f"/api/v1/notifications/{row['id']}", headers=sut.as_(shop.owner))
    reports = [step["answer"] for step in shown.json()["data"]["steps"] if step["kind"] == "REPORT"]
    assert sorted(reports) == ["delivered", "sent"]


@pytest.mark.parametrize("path", [TWILIO, SENDGRID])
async def test_unsigned_is_401(sut: ServiceUnderTest, sms: Any, path: str) -> None:
    for content in (b"", b"MessageSid=SM1&MessageStatus=delivered", b"[]", b"\xff\x00"):
        answer = await sut.client.post(f"{path}?notification={sms['id']}", content=content)
        assert answer.status_code in (400, 401)
        assert answer.status_code == 401 or content == b"\xff\x00"


async def test_signed_by_somebody_else_is_401(sut: ServiceUnderTest, shop: Any, sms: Any, listed: Any) -> None:
    answer = await twilio(sut, sms["id"], "delivered", token="guessed")

    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    assert (await listed(shop))[0]["deliveryStatus"] is None


async def test_of_a_message_that_is_not_ours_nothing_is_recorded(sut: ServiceUnderTest) -> None:
    assert (await twilio(sut, str(new_id()), "delivered")).status_code == 204
    assert (await twilio(sut, "x", "delivered")).status_code == 204


async def test_a_report_of_a_silent_try_saves_the_second_one(
    sut: ServiceUnderTest,
    peers: Any,
    shop: Any,
    receipt: Any,
    phones: Any,
    send_all: Any,
    listed: Any,
    twins: Twins,
) -> None:
    phone = phones()
    await sut.deliver(HIGH, receipt(shop, peers.bought(phone=phone)))
    await twins.fault("timeout_after_charging", twin="twilio", reference=phone, times=1)
    await send_all()
    (waiting,) = await listed(shop, status="PENDING")

    await twilio(sut, waiting["id"], "sent")
    sut.clock.advance(timedelta(minutes=5))
    await send_all()

    (row,) = await listed(shop)
    assert (row["status"], row["deliveryStatus"]) == ("SENT", "ACCEPTED")
    assert len(await twins.messages(to=phone)) == 1


async def test_a_bounce_and_who_wants_no_more(
    sut: ServiceUnderTest, keys: Any, peers: Any, shop: Any, receipt: Any, phones: Any, send_all: Any, listed: Any
) -> None:
    email = f"ana{phones()[-8:]}@example.com"
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=email)))
    await send_all()
    (row,) = await listed(shop)
    common = {"notification_id": row["id"], "email": email, "timestamp": 1_700_000_000, "sg_message_id": "m1.f"}

    answer = await sendgrid(
        sut,
        keys,
        {**common, "event": "delivered", "sg_event_id": f"1-{row['id']}"},
        {**common, "event": "bounce", "status": "5.1.1", "reason": email, "sg_event_id": f"2-{row['id']}"},
        {**common, "event": "spamreport", "sg_event_id": f"3-{row['id']}"},
        {**common, "event": "open", "sg_event_id": f"4-{row['id']}"},
    )

    assert answer.status_code == 204
    shown = await sut.client.get(f"/api/v1/notifications/{row['id']}", headers=sut.as_(shop.owner))
    assert shown.json()["data"]["deliveryStatus"] == "UNDELIVERED"
    assert email not in shown.text
    # Spam was said: the next receipt is not written to them.
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=email)))
    assert len(await listed(shop)) == 1
