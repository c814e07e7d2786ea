"""gRPC between two services, over a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from chassis.rpc.client import call, open_channel
from chassis.rpc.identity import METADATA_KEY, ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.telemetry.context import request_id
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import CobroError, Conflict, NotFound, RuleViolation, Unauthenticated, Unavailable

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-at-least-32-characters"
Behaviour = Callable[[], Awaitable[str]]


class Directory(directory_pb2_grpc.DirectoryServicer):
    def __init__(self) -> None:
        self.behaviour: Behaviour | None = None

    async def GetBusiness(self, request: Any, context: Any) -> directory_pb2.Business:
        assert self.behaviour is not None
        return directory_pb2.Business(id=await self.behaviour())


class Peer:
    def __init__(self, directory: Directory, address: str) -> None:
        self.directory, self.address = directory, address
        identity = ServiceIdentity("sales", SECRET)
        self.channel = open_channel("auth", address, identity)
        self.stub = directory_pb2_grpc.DirectoryStub(self.channel)

    async def ask(self, behaviour: Behaviour, **options: Any) -> str:
        self.directory.behaviour = behaviour
        answer = await call("auth", self.stub.GetBusiness(directory_pb2.GetBusinessRequest(), **options))
        return answer.id


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    directory = Directory()
    name = directory_pb2.DESCRIPTOR.services_by_name["Directory"].full_name
    service = RpcService(name, directory_pb2_grpc.add_DirectoryServicer_to_server, directory)
    server = RpcServer("auth", [service], ServiceIdentity("auth", SECRET))
    port = await server.start("127.0.0.1:0")
    peer = Peer(directory, f"127.0.0.1:{port}")
    yield peer
    await peer.channel.close()
    await server.stop(0)


def raising(error: Exception) -> Behaviour:
    async def behaviour() -> str:
        raise error

    return behaviour


@pytest.mark.parametrize(
    "error",
    [
        NotFound("No such business", code="business_not_found"),
        RuleViolation("Too few", code="insufficient_stock", metadata={"products": "a:1"}),
        Conflict("Busy", code="busy", retry_after=3),
        Unauthenticated("Who?"),
    ],
)
async def test_our_errors_arrive_as_themselves(peer: Peer, error: CobroError) -> None:
    with pytest.raises(type(error)) as raised:
        await peer.ask(raising(error))
    assert (raised.value.code, raised.value.message) == (error.code, error.message)
    assert error.metadata.items() <= raised.value.metadata.items()


async def test_a_bug_over_there_is_unavailable_here_and_tells_nothing(peer: Peer) -> None:
    with pytest.raises(Unavailable) as raised:
        await peer.ask(raising(LookupError("hunter2")))
    assert raised.value.code == "auth_unavailable"
    assert "hunter2" not in raised.value.message


async def test_a_deadline_is_unavailable(peer: Peer) -> None:
    async def slow() -> str:
        await asyncio.sleep(5)
        return ""

    with pytest.raises(Unavailable):
        await peer.ask(slow, timeout=0.1)


async def test_nobody_there_is_unavailable() -> None:
    channel = open_channel("auth", "127.0.0.1:1", ServiceIdentity("sales", SECRET))
    stub = directory_pb2_grpc.DirectoryStub(channel)
    with pytest.raises(Unavailable):
        await call("auth", stub.GetBusiness(directory_pb2.GetBusinessRequest(), timeout=2))
    await channel.close()


async def test_the_request_id_travels(peer: Peer) -> None:
    async def echo() -> str:
        return request_id.get()

    token = request_id.set("till-4711-abcdef")
    try:
        assert await peer.ask(echo) == "till-4711-abcdef"
    finally:
        request_id.reset(token)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "rubbish",
        ServiceIdentity("sales", "another-secret-of-32-characters!!").token_for("auth"),
        ServiceIdentity("sales", SECRET).token_for("catalog"),
    ],
)
async def test_a_caller_without_identity_is_refused(peer: Peer, token: str | None) -> None:
    async def never() -> str:
        raise AssertionError("must not be reached")

    peer.directory.behaviour = never
    async with grpc.aio.insecure_channel(peer.address) as channel:
        stub = directory_pb2_grpc.DirectoryStub(channel)
        metadata = [(METADATA_KEY, token)] if token is not None else []
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.GetBusiness(directory_pb2.GetBusinessRequest(), metadata=metadata)
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
