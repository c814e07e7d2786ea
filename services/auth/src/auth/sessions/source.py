"""The chassis' SessionSource, straight from the table: other services ask Redis, and then this one over gRPC."""

from __future__ import annotations

from uuid import UUID

from chassis.sessions import SessionState

from auth.context import AuthContext
from auth.sessions import service


class StoredSessions:
    def __init__(self, ctx: AuthContext) -> None:
        self._ctx = ctx

    async def state(self, session_id: UUID) -> SessionState:
        return await service.state(self._ctx, session_id)
