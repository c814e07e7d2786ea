"""Codes.GetCode: a code, for the one service that sends it, as long as there is something to send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.events.auth import UserCodeRequested
from kernel import new_id

pytestmark = pytest.mark.integration


async def get(sut: Any, code_id: str, caller: str | None = "notifications") -> Any:
    stub = directory_pb2_grpc.CodesStub(await sut.channel(caller))
    return await stub.GetCode(directory_pb2.GetCodeRequest(code_id=code_id), timeout=5)


async def refusal(sut: Any, code_id: str, caller: str | None = "notifications") -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get(sut, code_id, caller)
    return refused.value.code()


async def request_code(sut: Any, world: Any, account: Any, channel: str = "sms") -> str:
    answer = await world.post("/auth/verification", {"channel": channel}, account.headers)
    assert answer.status_code == 202
    [*_, event] = [event for event in await sut.published(UserCodeRequested) if event.user_id == account.id]
    return str(event.aggregate_id)


async def test_all_that_is_needed_to_send_it(sut: Any, world: Any) -> None:
    address = f"e{new_id()}@example.com"
    account = await world.register(email=address)
    await sut.client.patch("/api/v1/auth/me", json={"language": "pt"}, headers=account.headers)
    found = await get(sut, await request_code(sut, world, account))
    assert (found.channel, found.recipient) == ("sms", account.phone)
    assert (found.purpose, found.language) == ("verification", "pt")
    assert found.expires_at == int((sut.clock.now() + timedelta(minutes=10)).timestamp())
    found = await get(sut, await request_code(sut, world, account, "email"))
    assert (found.channel, found.recipient) == ("email", address)


@pytest.mark.parametrize("caller", [None, "sales", "gateway", "auth", "Notifications"])
async def test_no_other_service_is_told(sut: Any, world: Any, caller: str | None) -> None:
    code_id = await request_code(sut, world, await world.register())
    assert await refusal(sut, code_id, caller) == grpc.StatusCode.PERMISSION_DENIED
    assert (await get(sut, code_id)).code


async def test_what_can_no_longer_be_used_is_not_sent(sut: Any, world: Any, later: Any) -> None:
    account = await world.register()
    code_id = await request_code(sut, world, account)
    with later(timedelta(minutes=10)):
        assert await refusal(sut, code_id) == grpc.StatusCode.NOT_FOUND
    body = {"channel": "sms", "code": (await get(sut, code_id)).code}
    assert (await world.post("/auth/verification/confirm", body, account.headers)).status_code == 200
    assert await refusal(sut, code_id) == grpc.StatusCode.NOT_FOUND


async def test_one_that_was_replaced_or_whose_user_is_gone_is_not_sent(sut: Any, world: Any, later: Any) -> None:
    account = await world.register()
    first = await request_code(sut, world, account)
    with later(timedelta(seconds=60)):
        second = await request_code(sut, world, account)
        assert await refusal(sut, first) == grpc.StatusCode.NOT_FOUND
        assert (await get(sut, second)).code
        await world.delete_user(account)
        assert await refusal(sut, second) == grpc.StatusCode.NOT_FOUND


async def test_one_that_was_tried_too_often_is_not_sent(sut: Any, world: Any) -> None:
    account = await world.register()
    code_id = await request_code(sut, world, account)
    right = int((await get(sut, code_id)).code)
    for by in range(1, 6):
        body = {"channel": "sms", "code": f"{(right + by) % 10**6:06}"}
        await world.post("/auth/verification/confirm", body, account.headers)
    assert await refusal(sut, code_id) == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("code_id", "status"),
    [
        ("01a20446-d7f6-78e2-9786-72f57b9110fe", grpc.StatusCode.NOT_FOUND),
        ("", grpc.StatusCode.INVALID_ARGUMENT),
        ("x", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_what_is_no_code(sut: Any, code_id: str, status: grpc.StatusCode) -> None:
    assert await refusal(sut, code_id) == status
