"""Whether a session may still be used, when Redis does not know: auth is asked, and its answer kept for a moment."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from chassis.rpc.client import call
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Unavailable

_ASK_TIMEOUT = 2
# Without Redis: how long an answer of auth serves.
FRESH_FOR = 15.0
# Without Redis and auth: how long a session that was confirmed is still believed.
BELIEVED_FOR = 60.0
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Session:
    """valid_from: unix microseconds; access tokens issued at or before that moment are stale. 0: no bound."""

    active: bool
    valid_from: int = 0

    def outdates(self, issued_at: int) -> bool:
        """Whether a token issued at this unix second says what is no longer true."""
        return self.valid_from > 0 and issued_at * 1_000_000 <= self.valid_from

    @classmethod
    def parse(cls, text: bytes | None) -> Self | None:
        """The value of `session:{sid}`, which auth writes too; None for what says nothing."""
        if text == b"1":
            return cls(active=True)
        if text is None or not text.isdigit():
            return None
        return cls(active=text != b"0", valid_from=int(text))

    def text(self) -> str:
        if not self.active:
            return "0"
        return str(self.valid_from) if self.valid_from > 0 else "1"


ENDED: Final = Session(active=False)


class SessionSource(Protocol):
    async def session(self, session_id: str) -> Session: ...


class AuthSessions:
    """auth's Sessions over gRPC. Raises Unavailable when it cannot be asked."""

    def __init__(self, stub: directory_pb2_grpc.SessionsStub) -> None:
        self._stub = stub

    async def session(self, session_id: str) -> Session:
        request = directory_pb2.CheckSessionRequest(session_id=session_id)
        answer = await call("auth", self._stub.CheckSession(request, timeout=_ASK_TIMEOUT))
        return Session(True, answer.valid_from_us) if answer.active else ENDED


class Sessions:
    """Asks once for all requests of one session that wait at the same time."""

    def __init__(self, source: SessionSource, now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._now = now
        self._confirmed: OrderedDict[str, tuple[float, Session]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Session]] = {}

    def learnt(self, session_id: str, session: Session) -> None:
        """Redis or auth has just said so."""
        if not session.active:
            self._confirmed.pop(session_id, None)
            return
        self._confirmed[session_id] = (self._now(), session)
        self._confirmed.move_to_end(session_id)
        if len(self._confirmed) > _REMEMBERED:
            self._confirmed.popitem(last=False)

    async def ask(self, session_id: str) -> Session:
        """auth's answer. Raises Unavailable."""
        task = self._asking.get(session_id)
        if task is None:
            task = asyncio.create_task(self._ask(session_id))
            self._asking[session_id] = task
            task.add_done_callback(lambda _: self._asking.pop(session_id, None))
        return await asyncio.shield(task)

    async def without_store(self, session_id: str) -> Session:
        """While Redis is down: an answer of the last seconds, else auth's; when auth is down too, only a session
        confirmed within the last minute passes. Raises Unavailable."""
        confirmed, session = self._confirmed.get(session_id, (float("-inf"), ENDED))
        age = self._now() - confirmed
        if age <= FRESH_FOR:
            return session
        try:
            return await self.ask(session_id)
        except Unavailable:
            if age <= BELIEVED_FOR:
                return session
            raise

    async def _ask(self, session_id: str) -> Session:
        session = await self._source.session(session_id)
        self.learnt(session_id, session)
        return session
