"""What every test against the running service has."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from chassis.testing.service import ServiceUnderTest
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.events.auth import UserCodeRequested


@pytest.fixture(autouse=True)
def address(sut: ServiceUnderTest) -> str:
    """Where this test's requests come from, as the gateway would say: what one test gets wrong slows down no other."""
    value = f"2001:db8:{secrets.randbelow(1 << 16):x}:{secrets.randbelow(1 << 16):x}::1"
    sut.client.headers["X-Forwarded-For"] = value
    return value


@pytest.fixture
def code_of(sut: ServiceUnderTest) -> Callable[[Any], Awaitable[directory_pb2.Code]]:
    """`await code_of(account)`: the code that was asked for last, as the service that sends it is given it."""

    async def fetch(account: Any) -> directory_pb2.Code:
        requested = [event for event in await sut.published(UserCodeRequested) if event.user_id == account.id]
        stub = directory_pb2_grpc.CodesStub(await sut.channel("notifications"))
        return await stub.GetCode(directory_pb2.GetCodeRequest(code_id=str(requested[-1].aggregate_id)), timeout=5)

    return fetch
