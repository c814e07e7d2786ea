"""The gRPC server of a service: health, reflection, identity, deadlines, one translation of errors."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from kernel import CobroError, ErrorKind, Forbidden, NotFound, Unavailable
from opentelemetry.trace import SpanKind

from chassis import tenancy
from chassis.http.errors import is_database_outage, is_row_violation, refused_by_row_security
from chassis.rpc.errors import status_of
from chassis.rpc.identity import METADATA_KEY, ServiceIdentity
from chassis.telemetry import metrics, tracing
from chassis.telemetry.context import request_id
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

_OPEN = ("/grpc.health.", "/grpc.reflection.")
_KEEPALIVE = [
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_receive_message_length", 4 << 20),
]


@dataclass(frozen=True, slots=True)
class RpcService:
    """A servicer and the generated function that adds it: `RpcService(full_name, add_…_to_server, servicer)`.

    callers: the only services it answers; every one of ours by default.
    """

    full_name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: object
    callers: frozenset[str] | None = None


class _Edge(grpc.aio.ServerInterceptor):
    """Around every unary call: who calls, trace, metrics, and errors as statuses."""

    def __init__(self, service: str, identity: ServiceIdentity, callers: Mapping[str, frozenset[str]]) -> None:
        self._service = service
        self._identity = identity
        self._callers = callers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None or details.method.startswith(_OPEN):
            return handler
        inner: Any = handler.unary_unary
        method = details.method
        metadata = {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            started = time.perf_counter()
            token = request_id.set(metadata.get("x-request-id", ""))
            code = "OK"
            try:
                with tracing.span(method, kind=SpanKind.SERVER, carrier=metadata):
                    self._admit(method, self._identity.caller_of(metadata.get(METADATA_KEY, "")))
                    with tenancy.scope(_scope_of(request)):
                        return await inner(request, context)
            except CobroError as error:
                code = error.kind.value
                await context.abort_with_status(status_of(error))
            except Exception as error:  # the edge: anything else is ours to log, and the caller's to retry
                if is_database_outage(error):
                    code = ErrorKind.UNAVAILABLE.value
                    outage = Unavailable("The database is not available", code="database_unavailable", retry_after=2)
                    await context.abort_with_status(status_of(outage))
                if is_row_violation(error):
                    code = ErrorKind.NOT_FOUND.value
                    refused_by_row_security(self._service, method)
                    await context.abort_with_status(status_of(NotFound("Not found")))
                if not isinstance(error, grpc.aio.AbortError):
                    code = "INTERNAL"
                    log.error("rpc.unexpected_error", method=method, exc_info=error)
                    await context.abort(grpc.StatusCode.INTERNAL, "Internal error")
                raise
            finally:
                elapsed = time.perf_counter() - started
                metrics.rpc_requests.labels(self._service, method, code).observe(elapsed)
                request_id.reset(token)

        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _admit(self, method: str, caller: str) -> None:
        """method: "/package.Service/Method"."""
        callers = self._callers.get(method.split("/")[1])
        if callers is not None and caller not in callers:
            raise Forbidden("This is not for the calling service", code="service_not_allowed")


def _scope_of(request: Any) -> tenancy.Tenancy:
    """The business that a request names. A request about nobody in particular gets no rows but those its servicer
    opens."""
    value = getattr(request, "business_id", "")
    try:
        return tenancy.Tenancy(businesses=frozenset({UUID(value)}))
    except ValueError:
        return tenancy.NOBODY


class RpcServer:
    """Built and started inside the running loop. shared_port: another process may serve the same port, as the next
    one does while this one ends."""

    def __init__(
        self, service: str, services: Sequence[RpcService], identity: ServiceIdentity, *, shared_port: bool = False
    ) -> None:
        callers = {item.full_name: item.callers for item in services if item.callers is not None}
        options = [*_KEEPALIVE, ("grpc.so_reuseport", int(shared_port))]
        self._server = grpc.aio.server(interceptors=[_Edge(service, identity, callers)], options=options)
        self._health = health.aio.HealthServicer()
        names = [item.full_name for item in services]
        for item in services:
            item.add(item.servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        self._names = ["", *names]

    async def start(self, address: str) -> int:
        """Serve on host:port; returns the port, which is a free one when 0 was asked for."""
        port = self._server.add_insecure_port(address)
        await self._server.start()
        await self._announce(health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop_announcing(self) -> None:
        """Say NOT_SERVING, and go on serving those who come all the same."""
        await self._announce(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Say NOT_SERVING, refuse new calls, let running ones end within `grace` seconds."""
        await self.stop_announcing()
        await self._server.stop(grace)

    async def _announce(self, status: Any) -> None:
        for name in self._names:
            await self._health.set(name, status)
