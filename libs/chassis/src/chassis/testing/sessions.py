"""Sessions in memory, for the tests of services that ask Redis and auth about them."""

from __future__ import annotations

from uuid import UUID

from kernel import Unavailable

from chassis.sessions import SessionState


class FakeSessions:
    """Every session is alive until a test says otherwise."""

    def __init__(self) -> None:
        self.states: dict[UUID, SessionState] = {}
        self.down = False

    async def state(self, session_id: UUID) -> SessionState:
        if self.down:
            raise Unavailable("The auth service is not available", code="auth_unavailable")
        return self.states.get(session_id, SessionState(active=True))
