"""Whether the session behind a token still holds, at a service's own port.

An access token lives 15 minutes, a session may end at any moment. The gateway asks Redis with every request and seals
its answer (chassis.auth.admission). Who comes without that seal has passed the gateway by, and gains nothing: the
service asks Redis itself, then auth. When neither can be asked the answer is 503, never "yes".
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Unauthenticated, Unavailable

from chassis.auth.admission import AdmissionSeal
from chassis.auth.principal import Principal
from chassis.cache import Cache
from chassis.rpc.client import call

_TIMEOUT: Final = 2
_FRESH_FOR: Final = 5.0
_REMEMBERED: Final = 10_000
_ALIVE: Final = 1
_ENDED: Final = 0


@dataclass(frozen=True, slots=True)
class SessionState:
    """valid_from_us: access tokens issued at or before this moment (Unix microseconds) no longer say what is true; 0
    for no bound."""

    active: bool
    valid_from_us: int = 0

    def admit(self, caller: Principal) -> None:
        """Raises Unauthenticated: the session has ended (session_revoked), or the token is too old (token_stale)."""
        if not self.active:
            raise Unauthenticated("The session has ended", code="session_revoked")
        if self.valid_from_us and caller.issued_at * 1_000_000 <= self.valid_from_us:
            raise Unauthenticated("Your rights have changed; refresh the access token", code="token_stale")


class SessionSource(Protocol):
    async def state(self, session_id: UUID) -> SessionState:
        """Raises Unavailable."""


class AuthSessions:
    """What auth says, remembered for five seconds; those who ask at the same time wait for one answer."""

    def __init__(self, stub: directory_pb2_grpc.SessionsStub, *, now: Callable[[], float] = time.monotonic) -> None:
        self._stub = stub
        self._now = now
        self._known: OrderedDict[UUID, tuple[float, SessionState]] = OrderedDict()
        self._asking: dict[UUID, asyncio.Task[SessionState]] = {}

    async def state(self, session_id: UUID) -> SessionState:
        until, known = self._known.get(session_id, (0.0, None))
        if known is not None and until > self._now():
            return known
        task = self._asking.get(session_id)
        if task is None:
            task = asyncio.create_task(self._ask(session_id))
            self._asking[session_id] = task
            task.add_done_callback(lambda _: self._asking.pop(session_id, None))
        return await asyncio.shield(task)

    async def _ask(self, session_id: UUID) -> SessionState:
        request = directory_pb2.CheckSessionRequest(session_id=str(session_id))
        answer = await call("auth", self._stub.CheckSession(request, timeout=_TIMEOUT))
        state = SessionState(answer.active, answer.valid_from_us)
        self._known[session_id] = (self._now() + _FRESH_FOR, state)
        self._known.move_to_end(session_id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return state


class CachedSessions:
    """Redis, where auth and the gateway keep `session:<id>`: 1 alive, 0 ended, else the moment before which tokens are
    stale. What it does not know, or cannot be asked, is the next source's."""

    def __init__(self, cache: Cache, source: SessionSource) -> None:
        self._cache = cache
        self._source = source

    async def state(self, session_id: UUID) -> SessionState:
        value = await self._cache.get(f"session:{session_id}")
        if not isinstance(value, int):
            return await self._source.state(session_id)
        return SessionState(active=value != _ENDED, valid_from_us=0 if value in (_ALIVE, _ENDED) else value)


class SessionCheck:
    def __init__(self, seal: AdmissionSeal, source: SessionSource) -> None:
        self._seal = seal
        self._source = source

    async def check(self, caller: Principal, token: str, admission: str | None) -> None:
        """Raises Unauthenticated, or Unavailable when nobody can say."""
        if self._seal.admits(token, admission):
            return
        try:
            state = await self._source.state(caller.session_id)
        except Unavailable as error:
            message = "Sessions cannot be checked at the moment"
            raise Unavailable(message, code="auth_unavailable", retry_after=2) from error
        state.admit(caller)
