"""One provider after another, and never both for one message."""

from datetime import timedelta
from typing import Any

import pytest
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from notifications.channels.vonage import VonageChannel
from notifications.delivery.sending import LEASE
from twins.testing import Twins

pytestmark = pytest.mark.integration

HIGH = "notifications.high"


@pytest.fixture
async def faults(twins: Twins) -> Any:
    yield twins
    for twin in ("twilio", "vonage", "sendgrid", "smtp", "fcm"):
        await twins.clear_faults(twin)


@pytest.fixture
async def to(sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any) -> str:
    phone: str = phones()
    await sut.deliver(HIGH, receipt(shop, peers.bought(phone=phone)))
    return phone


async def detail(sut: ServiceUnderTest, shop: Any, listed: Any) -> dict[str, Any]:
    (row,) = await listed(shop)
    answer = await sut.client.get(f"/api/v1/notifications/{row['id']}", headers=sut.as_(shop.owner))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_what_the_first_certainly_did_not_take_the_second_sends(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("http_429", twin="twilio", reference=to, times=None)

    await send_all()

    row = await detail(sut, shop, listed)
    assert (row["status"], row["provider"], row["possiblyDuplicate"]) == ("SENT", "vonage", False)
    assert [message["provider"] for message in await faults.messages(to=to)] == ["vonage"]
    assert [(step["kind"], step["outcome"]) for step in row["steps"]] == [("TRY", "ACCEPTED")]


@pytest.mark.parametrize("kind", ["http_500_after_charging", "timeout_after_charging"])
async def test_what_the_first_may_have_sent_the_second_never_does(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any, kind: str
) -> None:
    await faults.fault(kind, twin="twilio", reference=to, times=1)
    await send_all()
    # Now the second would be asked, were it not for that.
    await faults.fault("http_429", twin="twilio", reference=to, times=None)
    for _ in range(3):
        sut.clock.advance(timedelta(minutes=1))
        await send_all()

    row = await detail(sut, shop, listed)
    assert (row["status"], row["provider"]) == ("PENDING", "twilio")
    assert {message["provider"] for message in await faults.messages(to=to)} == {"twilio"}
    # The same refusal every minute is said once.
    assert [step["outcome"] for step in row["steps"]][1:] == ["NOT_TAKEN"]


class Killed(BaseException):
    """Like a kill -9."""


async def test_a_sender_that_dies_over_the_second_leaves_its_name(
    sut: ServiceUnderTest,
    faults: Twins,
    shop: Any,
    to: str,
    send_all: Any,
    listed: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def dies(*_: object) -> None:
        raise Killed

    await faults.fault("http_429", twin="twilio", reference=to, times=1)
    with monkeypatch.context() as patch:
        patch.setattr(VonageChannel, "send", dies)
        with pytest.raises(Killed), everyone():
            await sut.context.senders[HIGH].send_due()
    sut.clock.advance(LEASE)

    await send_all()  # the first would take it by now

    row = await detail(sut, shop, listed)
    assert (row["status"], row["provider"], row["possiblyDuplicate"]) == ("SENT", "vonage", True)
    assert [message["provider"] for message in await faults.messages(to=to)] == ["vonage"]


async def test_e_mail_goes_by_smtp_where_sendgrid_does_not_take_it(
    sut: ServiceUnderTest, peers: Any, faults: Twins, shop: Any, receipt: Any, phones: Any, send_all: Any, listed: Any
) -> None:
    email = f"ana{phones()[-8:]}@example.com"
    await faults.fault("http_429", twin="sendgrid", reference=email, times=None)
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=email)))

    await send_all()

    row = await detail(sut, shop, listed)
    assert (row["status"], row["provider"], row["providerAnswer"]) == ("SENT", "smtp", "250")
    (message,) = await faults.messages(to=email)
    assert (message["provider"], message["providerId"]) == ("smtp", f"<{row['id']}@example.com>")
    assert "Gracias" in message["text"] or "pago" in message["text"]
    assert "<html" in message["html"]
    assert message["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(("kind", "status", "answer"), [("http_429", "PENDING", "451"), ("http_500", "PENDING", "451")])
async def test_smtp_says_by_its_state_what_happened(
    sut: ServiceUnderTest,
    peers: Any,
    faults: Twins,
    shop: Any,
    receipt: Any,
    phones: Any,
    send_all: Any,
    listed: Any,
    kind: str,
    status: str,
    answer: str,
) -> None:
    email = f"ana{phones()[-8:]}@example.com"
    await faults.fault("http_429", twin="sendgrid", reference=email, times=None)
    await faults.fault(kind, twin="smtp", reference=email, times=1)
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=email)))

    await send_all()

    row = await detail(sut, shop, listed)
    assert (row["status"], row["provider"], row["providerAnswer"]) == (status, "smtp", answer)
    assert row["attempts"] == (1 if kind == "http_500" else 0)
    assert await faults.messages(to=email) == []


async def test_a_dead_letter_is_seen_and_sent_again(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("http_500", twin="twilio", reference=to, times=3)
    for _ in range(4):
        await send_all()
        sut.clock.advance(timedelta(minutes=1))
    dead = await detail(sut, shop, listed)
    assert (dead["status"], [step["outcome"] for step in dead["steps"]]) == ("FAILED", ["FAILED"] * 3)
    path = f"/api/v1/notifications/{dead['id']}/redrive"
    headers = sut.as_(shop.owner) | {"Idempotency-Key": f"redrive-{dead['id']}"}

    first = await sut.client.post(path, headers=headers)
    again = await sut.client.post(path, headers=headers)
    await send_all()

    assert (first.status_code, first.json()["data"]["status"]) == (202, "PENDING")
    assert again.json() == first.json()
    row = await detail(sut, shop, listed)
    assert (row["status"], [step["kind"] for step in row["steps"]]) == ("SENT", ["TRY"] * 3 + ["REDRIVE", "TRY"])
    refused = await sut.client.post(path, headers=sut.as_(shop.owner) | {"Idempotency-Key": f"other-{dead['id']}"})
    assert (refused.status_code, refused.json()["code"]) == (409, "notification_not_failed")
