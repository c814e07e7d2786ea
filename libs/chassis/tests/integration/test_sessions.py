"""A session that has ended ends at a service's own port too."""

import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Principal
from chassis.auth.admission import HEADER, AdmissionSeal
from chassis.cache import Cache, connect_redis
from chassis.rpc.client import open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.sessions import AuthSessions, CachedSessions, SessionCheck, SessionState
from chassis.testing.service import COMMON, ServiceUnderTest
from chassis.testing.sessions import FakeSessions
from chassis.testing.tokens import make_principal
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Unauthenticated, Unavailable, new_id

pytestmark = pytest.mark.integration

SECRET = COMMON["SERVICE_AUTH_SECRET"]


@pytest.fixture
def states(probe: ServiceUnderTest) -> FakeSessions:
    source = probe.kit.session_source
    assert isinstance(source, FakeSessions)
    return source


async def answer(probe: ServiceUnderTest, caller: Principal, *, sealed: bool = False) -> tuple[int, str | None]:
    token = probe.tokens.issue(caller)
    headers = {"Authorization": f"Bearer {token}"}
    if sealed:
        headers[HEADER] = AdmissionSeal(SECRET).sign(token)
    response = await probe.client.get("/accounts", headers=headers)
    return response.status_code, response.json().get("code")


async def test_an_ended_session_is_refused_until_the_gateway_has_checked_it(
    probe: ServiceUnderTest, states: FakeSessions
) -> None:
    caller = make_principal()
    assert await answer(probe, caller) == (200, None)
    states.states[caller.session_id] = SessionState(active=False)
    assert await answer(probe, caller) == (401, "session_revoked")
    assert await answer(probe, caller, sealed=True) == (200, None)


async def test_a_token_from_before_a_change_is_stale(probe: ServiceUnderTest, states: FakeSessions) -> None:
    caller = make_principal()
    now = int(time.time())
    states.states[caller.session_id] = SessionState(active=True, valid_from_us=(now + 5) * 1_000_000)
    assert await answer(probe, caller) == (401, "token_stale")
    states.states[caller.session_id] = SessionState(active=True, valid_from_us=(now - 5) * 1_000_000)
    assert await answer(probe, caller) == (200, None)


async def test_nobody_to_ask_is_503_and_never_open(probe: ServiceUnderTest, states: FakeSessions) -> None:
    states.down = True
    try:
        assert await answer(probe, make_principal()) == (503, "auth_unavailable")
        assert await answer(probe, make_principal(), sealed=True) == (200, None)
    finally:
        states.down = False


async def test_another_tokens_seal_does_not_help(probe: ServiceUnderTest, states: FakeSessions) -> None:
    caller = make_principal()
    states.states[caller.session_id] = SessionState(active=False)
    seal = AdmissionSeal(SECRET).sign(probe.tokens.issue(make_principal()))
    response = await probe.client.get("/accounts", headers=probe.as_(caller, **{HEADER: seal}))
    assert (response.status_code, response.json()["code"]) == (401, "session_revoked")


class Sessions(directory_pb2_grpc.SessionsServicer):
    def __init__(self) -> None:
        self.response = directory_pb2.CheckSessionResponse(active=True)
        self.asked = 0

    async def CheckSession(self, request: Any, context: Any) -> directory_pb2.CheckSessionResponse:
        self.asked += 1
        UUID(request.session_id)
        return self.response


class Auth:
    """auth's Sessions over a socket, and the clock of what remembers them."""

    def __init__(self, servicer: Sessions, channel: Any) -> None:
        self.servicer = servicer
        self.now = 100.0
        self.source = AuthSessions(directory_pb2_grpc.SessionsStub(channel), now=lambda: self.now)


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    servicer = Sessions()
    name = directory_pb2.DESCRIPTOR.services_by_name["Sessions"].full_name
    service = RpcService(name, directory_pb2_grpc.add_SessionsServicer_to_server, servicer)
    server = RpcServer("auth", [service], ServiceIdentity("auth", SECRET))
    port = await server.start("127.0.0.1:0")
    channel = open_channel("auth", f"127.0.0.1:{port}", ServiceIdentity("sales", SECRET))
    yield Auth(servicer, channel)
    await channel.close()
    await server.stop(0)


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    cache = Cache(connect_redis(os.environ["TEST_REDIS_URL"]), "probe")
    yield cache
    await cache.close()


async def test_redis_answers_and_auth_only_what_redis_does_not_know(auth: Auth, cache: Cache) -> None:
    sessions = CachedSessions(cache, auth.source)
    bound = 1_800_000_000_000_000
    for stored, state in (
        ("1", SessionState(active=True)),
        ("0", SessionState(active=False)),
        (str(bound), SessionState(active=True, valid_from_us=bound)),
    ):
        session_id = new_id()
        await cache.redis.set(f"session:{session_id}", stored, ex=60)
        assert await sessions.state(session_id) == state
    assert auth.servicer.asked == 0
    auth.servicer.response = directory_pb2.CheckSessionResponse(active=True, valid_from_us=bound)
    assert await sessions.state(new_id()) == SessionState(active=True, valid_from_us=bound)
    await cache.redis.set(f"session:{(odd := new_id())}", json.dumps("odd"), ex=60)
    assert await sessions.state(odd) == SessionState(active=True, valid_from_us=bound)
    assert auth.servicer.asked == 2


async def test_without_redis_auth_is_asked_and_believed_for_seconds(auth: Auth) -> None:
    nowhere = Cache(connect_redis("redis://127.0.0.1:1/0"), "probe")
    sessions, session_id = CachedSessions(nowhere, auth.source), new_id()
    try:
        assert (await sessions.state(session_id)).active
        auth.servicer.response = directory_pb2.CheckSessionResponse(active=False)
        assert (await sessions.state(session_id)).active
        auth.now += 5.1
        assert not (await sessions.state(session_id)).active
        assert auth.servicer.asked == 2
    finally:
        await nowhere.close()


async def test_the_check_itself() -> None:
    source, caller = FakeSessions(), make_principal()
    check = SessionCheck(AdmissionSeal(SECRET), source)
    await check.check(caller, "token", None)
    source.states[caller.session_id] = SessionState(active=True, valid_from_us=1)
    with pytest.raises(Unauthenticated):  # a principal that is of no token was issued at no time
        await check.check(caller, "token", None)
    source.down = True
    with pytest.raises(Unavailable):
        await check.check(caller, "token", "")
