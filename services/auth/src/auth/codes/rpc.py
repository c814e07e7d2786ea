"""One-time codes over gRPC, for the service that sends them and for no other."""

from __future__ import annotations

from typing import Any

import grpc
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc

from auth.codes import service
from auth.context import AuthContext
from auth.edge import parse_id


class CodesServicer(directory_pb2_grpc.CodesServicer):
    def __init__(self, ctx: AuthContext) -> None:
        self._ctx = ctx

    async def GetCode(
        self, request: directory_pb2.GetCodeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> directory_pb2.Code:
        found = await service.sendable(self._ctx, parse_id("code_id", request.code_id))
        return directory_pb2.Code(
            code=found.code,
            channel=found.channel.value,
            recipient=found.recipient,
            purpose=found.purpose.value,
            language=found.language,
            expires_at=int(found.expires_at.timestamp()),
        )
