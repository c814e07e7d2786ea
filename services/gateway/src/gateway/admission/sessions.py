"""Whether a session may still be used, when Redis does not know: auth is asked, and its answer kept for a moment."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from chassis.rpc.client import call
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Unavailable

_ASK_TIMEOUT = 2
# Without Redis: how long an answer of auth serves.
FRESH_FOR = 15.0
# Without Redis and auth: how long a session that was confirmed is still believed.
BELIEVED_FOR = 60.0
_REMEMBERED = 20_000


class SessionSource(Protocol):
    async def active(self, session_id: str) -> bool: ...


class AuthSessions:
    """auth's Sessions over gRPC. Raises Unavailable when it cannot be asked."""

    def __init__(self, stub: directory_pb2_grpc.SessionsStub) -> None:
        self._stub = stub

    async def active(self, session_id: str) -> bool:
        request = directory_pb2.CheckSessionRequest(session_id=session_id)
        return bool((await call("auth", self._stub.CheckSession(request, timeout=_ASK_TIMEOUT))).active)


class Sessions:
    """Asks once for all requests of one session that wait at the same time."""

    def __init__(self, source: SessionSource, now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._now = now
        self._confirmed: OrderedDict[str, float] = OrderedDict()
        self._asking: dict[str, asyncio.Task[bool]] = {}

    def confirmed(self, session_id: str) -> None:
        """Redis or auth has just said that the session is active."""
        self._confirmed[session_id] = self._now()
        self._confirmed.move_to_end(session_id)
        if len(self._confirmed) > _REMEMBERED:
            self._confirmed.popitem(last=False)

    def revoked(self, session_id: str) -> None:
        self._confirmed.pop(session_id, None)

    async def ask(self, session_id: str) -> bool:
        """auth's answer. Raises Unavailable."""
        task = self._asking.get(session_id)
        if task is None:
            task = asyncio.create_task(self._ask(session_id))
            self._asking[session_id] = task
            task.add_done_callback(lambda _: self._asking.pop(session_id, None))
        return await asyncio.shield(task)

    async def without_store(self, session_id: str) -> bool:
        """While Redis is down: an answer of the last seconds, else auth's; when auth is down too, only a session
        confirmed within the last minute passes. Raises Unavailable."""
        age = self._now() - self._confirmed.get(session_id, float("-inf"))
        if age <= FRESH_FOR:
            return True
        try:
            return await self.ask(session_id)
        except Unavailable:
            if age <= BELIEVED_FOR:
                return True
            raise

    async def _ask(self, session_id: str) -> bool:
        active = await self._source.active(session_id)
        if active:
            self.confirmed(session_id)
        else:
            self.revoked(session_id)
        return active
