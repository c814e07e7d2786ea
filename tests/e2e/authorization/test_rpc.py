"""What services answer each other over gRPC is for services, by name, and for nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import grpc
import pytest
from chassis.rpc.identity import METADATA_KEY, ServiceIdentity
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from joserfc import jwt
from joserfc.jwk import OctKey
from stack.services import SERVICES

from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

_OPEN = ("grpc.health.", "grpc.reflection.")
_EMPTY = b""


@dataclass(frozen=True, slots=True)
class Callee:
    """methods: full names, such as `/contracts.auth.v1.Directory/GetUser`."""

    service: str
    channel: grpc.aio.Channel
    methods: tuple[str, ...]

    async def told(self, method: str, token: str | None) -> grpc.StatusCode:
        """The status of an empty request by whoever has this token."""
        call = self.channel.unary_unary(method)
        try:
            await call(_EMPTY, metadata=None if token is None else ((METADATA_KEY, token),), timeout=10)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


@pytest.fixture(scope="module")
async def callees(stage: Stage) -> AsyncIterator[list[Callee]]:
    found = []
    for service in SERVICES:
        if service.grpc_port is not None:
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{stage.suite.addresses.grpc[service.name]}")
            found.append(Callee(service.name, channel, await _methods(channel)))
    yield found
    for callee in found:
        await callee.channel.close()


async def _methods(channel: grpc.aio.Channel) -> tuple[str, ...]:
    """As the server itself describes them."""
    [listed] = await _reflected(channel, ServerReflectionRequest(list_services=""))
    names = [one.name for one in listed.list_services_response.service if not one.name.startswith(_OPEN)]
    found = []
    for name in names:
        [described] = await _reflected(channel, ServerReflectionRequest(file_containing_symbol=name))
        for content in described.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(content)
            for service in file.service:
                if f"{file.package}.{service.name}" == name:
                    found += [f"/{name}/{method.name}" for method in service.method]
    return tuple(found)


async def _reflected(channel: grpc.aio.Channel, request: ServerReflectionRequest) -> list[object]:
    async def requests() -> AsyncIterator[ServerReflectionRequest]:
        yield request

    return [answer async for answer in ServerReflectionStub(channel).ServerReflectionInfo(requests())]


def _signed(secret: str, **claims: object) -> str:
    now = int(time.time())
    said = {"iss": "gateway", "iat": now, "exp": now + 300, **claims}
    key = OctKey.import_key(secret)
    return jwt.encode({"alg": "HS256", "typ": "svc+jwt"}, said, key, algorithms=["HS256"])


def _another(service: str) -> str:
    return "auth" if service != "auth" else "sales"


# Each from the true secret and the callee's name.
_REFUSED: dict[str, Callable[[str, str], str | None]] = {
    "no identity": lambda secret, callee: None,
    "an empty one": lambda secret, callee: "",
    "rubbish": lambda secret, callee: "not.a.token",
    "one of another secret": lambda secret, callee: _signed("x" * 43, aud=callee),
    "one that has expired": lambda secret, callee: _signed(secret, aud=callee, iat=0, exp=int(time.time()) - 1),
    "one for another callee": lambda secret, callee: _signed(secret, aud=_another(callee)),
    "one for nobody": lambda secret, callee: _signed(secret),
    "one from tomorrow": lambda secret, callee: _signed(secret, aud=callee, iat=int(time.time()) + 86_400),
}


async def test_every_service_describes_what_it_answers(callees: list[Callee]) -> None:
    """Otherwise what follows would ask for nothing."""
    assert {callee.service for callee in callees} == {s.name for s in SERVICES if s.grpc_port is not None}
    found = {method for callee in callees for method in callee.methods}
    assert {
        "/contracts.auth.v1.Directory/GetBusiness",
        "/contracts.auth.v1.Sessions/CheckSession",
        "/contracts.catalog.v1.Inventory/Reserve",
        "/contracts.payments.v1.Payments/RefundPayment",
        "/contracts.sales.v1.Sales/GetSale",
        "/contracts.billing.v1.Invoices/GetInvoiceOfSale",
    } <= found


@pytest.mark.parametrize("caller", _REFUSED)
async def test_no_call_is_answered_to(stage: Stage, callees: list[Callee], caller: str) -> None:
    secret = stage.suite.secrets["SERVICE_AUTH_SECRET"]
    calls = [(callee, method) for callee in callees for method in callee.methods]
    told = await asyncio.gather(
        *(callee.told(method, _REFUSED[caller](secret, callee.service)) for callee, method in calls)
    )
    answered = {method: code for (_, method), code in zip(calls, told, strict=True)}
    assert {method: code for method, code in answered.items() if code is not grpc.StatusCode.UNAUTHENTICATED} == {}


async def test_a_service_is_answered(stage: Stage, callees: list[Callee]) -> None:
    """It is told what is wrong with an empty request, and not that it is nobody."""
    identity = ServiceIdentity("gateway", stage.suite.secrets["SERVICE_AUTH_SECRET"])
    for callee in callees:
        for method in callee.methods:
            code = await callee.told(method, identity.token_for(callee.service))
            assert code not in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INTERNAL}, (method, code)


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
async def test_codes_are_for_the_one_who_sends_them(stage: Stage, callees: list[Callee], service: str) -> None:
    auth = next(callee for callee in callees if callee.service == "auth")
    token = ServiceIdentity(service, stage.suite.secrets["SERVICE_AUTH_SECRET"]).token_for("auth")
    code = await auth.told("/contracts.auth.v1.Codes/GetCode", token)
    if service == "notifications":
        assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    else:
        assert code is grpc.StatusCode.PERMISSION_DENIED
