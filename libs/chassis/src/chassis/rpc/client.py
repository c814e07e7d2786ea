"""Channels to other services: identity, deadline, trace and request id on every call; errors as ours."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc

from chassis.rpc.errors import error_of
from chassis.rpc.identity import METADATA_KEY, ServiceIdentity
from chassis.telemetry import tracing
from chassis.telemetry.context import request_id

ResponseT = TypeVar("ResponseT")

DEFAULT_DEADLINE = 5.0
# A call whose connection failed is sent again by the library: while one process takes over from another, connections
# end under calls, and a server that ends cancels what it has not begun. Safe for calls that were seen too, since each
# is idempotent by contract (protos). What a service itself says is not asked again (rpc.errors), and no more retries go
# to a peer that fails most calls.
_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 1},
}
_OPTIONS = [
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class _Outgoing(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, peer: str, identity: ServiceIdentity) -> None:
        self._peer = peer
        self._identity = identity

    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        metadata = grpc.aio.Metadata(*(client_call_details.metadata or ()))
        metadata.add(METADATA_KEY, self._identity.token_for(self._peer))
        if current := request_id.get():
            metadata.add("x-request-id", current)
        for key, value in tracing.inject({}).items():
            metadata.add(key, value)
        details = grpc.aio.ClientCallDetails(
            method=client_call_details.method,
            timeout=client_call_details.timeout or DEFAULT_DEADLINE,
            metadata=metadata,
            credentials=client_call_details.credentials,
            wait_for_ready=client_call_details.wait_for_ready,
        )
        return await continuation(details, request)


def open_channel(peer: str, target: str, identity: ServiceIdentity) -> grpc.aio.Channel:
    """A lazy channel to the service named `peer` at host:port. Close it at the end."""
    return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=[_Outgoing(peer, identity)])


async def call(peer: str, awaitable: Awaitable[ResponseT]) -> ResponseT:
    """Await a stub's call, raising our errors: `await call("catalog", stub.Reserve(request, timeout=2))`."""
    try:
        return await awaitable
    except grpc.aio.AioRpcError as error:
        raise error_of(error, peer) from error
