from datetime import timedelta
from typing import Any

import pytest
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events.auth import UserDeleted, UserPasswordChanged
from kernel import new_id
from notifications.channels.fcm import FcmChannel
from notifications.channels.port import Channel
from notifications.devices.models import PushDevice
from sqlalchemy import select
from twins.testing import Twins

pytestmark = pytest.mark.integration

URL, HIGH = "/api/v1/push-devices", "notifications.high"


async def register(sut: ServiceUnderTest, caller: Any, token: str, platform: str = "ANDROID") -> Any:
    headers = sut.as_(caller) | {"Idempotency-Key": str(new_id())}
    answer = await sut.client.post(URL, json={"token": token, "platform": platform}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def devices_of(sut: ServiceUnderTest, caller: Any) -> list[str]:
    answer = await sut.client.get(URL, headers=sut.as_(caller))
    return [device["id"] for device in answer.json()["data"]]


def token(kind: str = "fcm") -> str:
    return f"{kind}-{new_id().hex}-{new_id().hex}"


async def changed_password(sut: ServiceUnderTest, user_id: Any) -> None:
    event = UserPasswordChanged(aggregate_id=user_id, aggregate_version=1, reason="change", changed_at=sut.clock.now())
    await sut.deliver(HIGH, event)


async def test_a_device_is_registered_once_shown_and_removed(sut: ServiceUnderTest) -> None:
    caller, own = make_principal(), token()

    first = await register(sut, caller, own)
    again = await register(sut, caller, own, "WEB")

    assert (again["id"], again["platform"]) == (first["id"], "WEB")
    assert own not in str(again)
    assert await devices_of(sut, caller) == [first["id"]]
    assert await devices_of(sut, make_principal()) == []
    stranger = await sut.client.delete(f"{URL}/{first['id']}", headers=sut.as_(make_principal()))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "push_device_not_found")
    assert (await sut.client.delete(f"{URL}/{first['id']}", headers=sut.as_(caller))).status_code == 204
    assert await devices_of(sut, caller) == []


async def test_whoever_holds_the_device_has_it(sut: ServiceUnderTest) -> None:
    before, after, shared = make_principal(), make_principal(), token()
    await register(sut, before, shared)

    taken = await register(sut, after, shared)

    assert (await devices_of(sut, before), await devices_of(sut, after)) == ([], [taken["id"]])


async def test_tokens_are_encrypted_at_rest(sut: ServiceUnderTest) -> None:
    own = token()
    device = await register(sut, make_principal(), own)

    with everyone():
        async with sut.kit.database.read() as session:
            row = (await session.execute(select(PushDevice).where(PushDevice.id == device["id"]))).scalar_one()
    assert own not in row.token
    assert sut.context.cipher.decrypt(row.token, context=row.token_place) == own


async def test_a_push_comes_beside_the_other_channels(
    sut: ServiceUnderTest, peers: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    user_id, own = peers.registered(phone=phones()), token()
    await register(sut, make_principal(user_id=user_id), own)

    await changed_password(sut, user_id)
    await send_all()

    (message,) = await twins.messages(to=own)
    assert (message["channel"], message["subject"]) == ("PUSH", "Tu contraseña cambió")


async def test_a_device_that_is_gone_is_dropped(sut: ServiceUnderTest, peers: Any, phones: Any, send_all: Any) -> None:
    user_id = peers.registered(phone=phones())
    caller = make_principal(user_id=user_id)
    await register(sut, caller, token("unregistered"))
    kept = await register(sut, caller, token())

    await changed_password(sut, user_id)
    await send_all()

    assert await devices_of(sut, caller) == [kept["id"]]


async def test_a_new_access_token_is_asked_for_once_and_again_when_google_forgot_it(
    sut: ServiceUnderTest, peers: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    (fcm,) = sut.context.providers[Channel.PUSH]
    assert isinstance(fcm, FcmChannel)
    user_id, own = peers.registered(phone=phones()), token()
    await register(sut, make_principal(user_id=user_id), own)
    fcm._token, fcm._token_until = "ya29.forgotten", float("inf")

    await changed_password(sut, user_id)
    await send_all()  # 401: certainly not sent
    sut.clock.advance(timedelta(minutes=1))
    await send_all()

    assert len(await twins.messages(to=own)) == 1
    assert fcm._token != "ya29.forgotten"


async def test_whoever_closes_their_account_leaves_no_device(sut: ServiceUnderTest) -> None:
    caller = make_principal()
    await register(sut, caller, token())

    await sut.deliver(HIGH, UserDeleted(aggregate_id=caller.user_id, aggregate_version=2))

    assert await devices_of(sut, caller) == []


@pytest.mark.parametrize(
    "wrong",
    [{"token": "x" * 10}, {"token": "t\x00" * 20}, {"token": 5}, {"platform": "FAX"}, {"extra": 1}],
    ids=["short", "nul", "number", "platform", "unknown"],
)
async def test_what_is_wrong_is_a_clear_400(sut: ServiceUnderTest, wrong: dict[str, Any]) -> None:
    body = {"token": token(), "platform": "IOS"} | wrong
    headers = sut.as_(make_principal()) | {"Idempotency-Key": str(new_id())}

    answer = await sut.client.post(URL, json=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
