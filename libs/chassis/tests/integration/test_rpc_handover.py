"""One gRPC server takes over from another on the same port, under calls that know nothing of it."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from chassis.rpc.client import call, open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Unavailable

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-at-least-32-characters!!"
NAME = directory_pb2.DESCRIPTOR.services_by_name["Sessions"].full_name


class Sessions(directory_pb2_grpc.SessionsServicer):
    """down: every call is refused as by a service whose database is away."""

    def __init__(self, *, down: bool = False) -> None:
        self.calls = 0
        self._down = down

    async def CheckSession(self, request: Any, context: Any) -> Any:
        self.calls += 1
        await asyncio.sleep(0.005)
        if self._down:
            raise Unavailable("The database is not available", code="database_unavailable")
        return directory_pb2.CheckSessionResponse(active=True)


def server(servicer: Sessions) -> RpcServer:
    service = RpcService(NAME, directory_pb2_grpc.add_SessionsServicer_to_server, servicer)
    return RpcServer("auth", [service], ServiceIdentity("auth", SECRET), shared_port=True)


def channel(port: int) -> grpc.aio.Channel:
    return open_channel("auth", f"127.0.0.1:{port}", ServiceIdentity("gateway", SECRET))


async def check(channel: grpc.aio.Channel) -> bool:
    stub = directory_pb2_grpc.SessionsStub(channel)  # type: ignore[no-untyped-call]
    request = directory_pb2.CheckSessionRequest(session_id="1")
    return bool((await call("auth", stub.CheckSession(request, timeout=5))).active)


async def test_no_call_fails_while_one_server_takes_over_from_another() -> None:
    present = server(Sessions())
    port = await present.start("127.0.0.1:0")
    channels = [channel(port) for _ in range(4)]
    end, done, failures = asyncio.Event(), 0, []

    async def keep_calling(one: grpc.aio.Channel) -> None:
        nonlocal done
        while not end.is_set():
            try:
                assert await check(one)
                done += 1
            except Unavailable as error:
                failures.append(error.metadata)

    callers = [asyncio.create_task(keep_calling(channels[number % 4])) for number in range(12)]
    try:
        for _ in range(6):
            before = done
            following = server(Sessions())
            assert await following.start(f"127.0.0.1:{port}") == port
            await asyncio.sleep(0.2)
            await present.stop(5)
            present = following
            await asyncio.sleep(0.2)
            assert done > before
    finally:
        end.set()
        await asyncio.gather(*callers)
        for one in channels:
            await one.close()
        await present.stop(0)
    assert not failures
    assert done > 200


async def test_what_a_service_says_itself_is_not_asked_again() -> None:
    servicer = Sessions(down=True)
    running = server(servicer)
    one = channel(await running.start("127.0.0.1:0"))
    try:
        with pytest.raises(Unavailable) as refused:
            await check(one)
        assert refused.value.metadata["code"] == "database_unavailable"
        assert servicer.calls == 1
    finally:
        await one.close()
        await running.stop(0)


async def test_a_port_is_not_shared_by_chance() -> None:
    running = server(Sessions())
    port = await running.start("127.0.0.1:0")
    alone = RpcServer("auth", [], ServiceIdentity("auth", SECRET))
    try:
        with pytest.raises(RuntimeError):
            await alone.start(f"127.0.0.1:{port}")
    finally:
        await alone.stop(0)
        await running.stop(0)
