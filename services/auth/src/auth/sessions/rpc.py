"""Sessions over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc

from auth.context import AuthContext
from auth.edge import parse_id
from auth.sessions import service


class SessionsServicer(directory_pb2_grpc.SessionsServicer):
    def __init__(self, ctx: AuthContext) -> None:
        self._ctx = ctx

    async def CheckSession(
        self, request: directory_pb2.CheckSessionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> directory_pb2.CheckSessionResponse:
        """An unknown session is not active."""
        state = await service.state(self._ctx, parse_id("session_id", request.session_id))
        return directory_pb2.CheckSessionResponse(active=state.active, valid_from_us=state.valid_from_us)
