"""The ASGI application: every request passes here, in this order.

read the headers → the gateway's own pages, or the route → CORS preflight → token → session and limit → the service
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from chassis.auth import TokenVerifier
from chassis.auth.admission import HEADER as ADMISSION_HEADER
from chassis.auth.admission import AdmissionSeal
from chassis.telemetry import metrics
from chassis.telemetry.access import AccessLog
from chassis.telemetry.context import request_id as current_request_id
from chassis.telemetry.logs import get_logger
from kernel import CobroError, Unauthenticated
from starlette.types import Message, Receive, Scope, Send

from gateway.admission.business import business_of
from gateway.admission.service import Admission, Limited
from gateway.edge.answers import STRICT_TRANSPORT, error_answer, send_answer
from gateway.edge.client_address import ClientAddresses, limit_subject
from gateway.edge.cors import Cors
from gateway.edge.errors import ClientGone, GatewayError
from gateway.edge.pages import Pages
from gateway.edge.trace import Trace, Tracer
from gateway.proxy.connection import Broken
from gateway.proxy.forward import Forwarder
from gateway.proxy.headers import SECURITY, Headers, Incoming, read_request
from gateway.proxy.upstream import Upstream
from gateway.routing.table import METHODS, LimitClass, Route, match

log = get_logger(__name__)

_SERVICE = "gateway"
_ALLOW = ((b"allow", ", ".join(sorted(METHODS)).encode()),)
_ADMISSION = ADMISSION_HEADER.encode()


@dataclass(slots=True)
class _Request:
    """What is learnt of a request on its way."""

    scope: Scope
    trace: Trace
    id: str
    route: str = "unmatched"
    upstream: str = ""
    status: int = 0
    own_headers: Headers = field(default_factory=list)


class Gateway:
    def __init__(
        self,
        *,
        upstreams: dict[str, Upstream],
        verifier: TokenVerifier,
        admission: Admission,
        seal: AdmissionSeal,
        forwarder: Forwarder,
        pages: Pages,
        addresses: ClientAddresses,
        cors: Cors,
        tracer: Tracer,
        access_log: AccessLog,
        strict_transport: bool,
    ) -> None:
        self._upstreams = upstreams
        self._verifier = verifier
        self._admission = admission
        self._seal = seal
        self._forwarder = forwarder
        self._pages = pages
        self._addresses = addresses
        self._cors = cors
        self._tracer = tracer
        self._access_log = access_log
        self._transport_headers: Headers = [STRICT_TRANSPORT] if strict_transport else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if await self._pages.probe(scope, receive, send):
            return
        started = time.perf_counter()
        with self._tracer.begin(scope["method"]) as trace:
            request = _Request(scope, trace, trace.trace_id)
            try:
                await self._serve(request, receive, send)
            finally:
                trace.status = request.status
                self._observe(request, time.perf_counter() - started)

    async def _serve(self, request: _Request, receive: Receive, send: Send) -> None:
        token = current_request_id.set(request.id)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            await send(message)

        try:
            await self._answer(request, receive, send_noted)
        except (CobroError, GatewayError) as error:
            await self._refuse(request, send_noted, error)
        except ClientGone:
            log.info("http.client_gone", route=request.route)
        except Broken as error:
            # The answer is half sent: only a connection that ends early tells the client.
            log.warning("http.answer_broken", upstream=request.upstream, route=request.route, reason=str(error))
        except Exception as error:
            log.error("http.unexpected_error", route=request.route, exc_info=error)
            if request.status == 0:
                await self._refuse(request, send_noted, GatewayError(500, "Internal error", "internal_error"))
        finally:
            current_request_id.reset(token)

    async def _answer(self, request: _Request, receive: Receive, send: Send) -> None:
        scope = request.scope
        incoming = read_request(scope["headers"], http_version=scope["http_version"])
        if incoming.request_id is not None:
            request.id = incoming.request_id
            current_request_id.set(request.id)
        request.own_headers = self._own_headers(request.id, incoming)
        method, path = scope["method"], scope["path"]
        if method not in METHODS:
            raise GatewayError(405, f"{method} is not allowed", "method_not_allowed", headers=_ALLOW)
        if method == "OPTIONS" and incoming.preflight_method is not None:
            request.route = "preflight"
            headers = [*self._cors.preflight(incoming.origin), (b"x-request-id", request.id.encode()), *SECURITY]
            await send_answer(send, 204, headers)
            return
        peer = scope["client"][0] if scope["client"] else ""
        address = self._addresses.resolve(peer, incoming)
        page = self._pages.find(method, path)
        if page is not None:
            request.route = page.label
            admitted = await self._admission.admit_address(LimitClass.PUBLIC, limit_subject(address))
            request.own_headers += admitted.headers()
            await page.answer(scope, receive, send, request.own_headers)
            return
        route = match(method, path, scope["raw_path"])
        request.route, request.upstream = route.label, route.upstream
        onward = [
            (b"x-request-id", request.id.encode()),
            (b"x-forwarded-for", address.encode("latin-1")),
            (b"x-forwarded-proto", self._addresses.scheme(peer, incoming, scope["scheme"])),
            (b"traceparent", request.trace.traceparent),
        ]
        await self._admit(request, route, incoming, address, onward)
        await self._forwarder.forward(
            self._upstreams[route.upstream],
            route,
            incoming,
            scope,
            receive,
            send,
            request_headers=onward,
            answer_headers=request.own_headers,
        )

    async def _admit(self, request: _Request, route: Route, incoming: Incoming, address: str, onward: Headers) -> None:
        """Notes the limits for the answer, and for a bearer the seal that tells the service of the checked session."""
        path, query = request.scope["path"], request.scope["query_string"]
        if route.public or route.opened_by(query):
            limit_class = route.limit_class if route.public else LimitClass.PUBLIC
            admitted = await self._admission.admit_address(limit_class, limit_subject(address))
        else:
            try:
                token = _bearer(incoming.authorization)
                caller = await self._verifier.verify(token)
            except Unauthenticated:
                # Guessing tokens counts like any other anonymous request.
                counted = await self._admission.admit_address(LimitClass.PUBLIC, limit_subject(address))
                request.own_headers += counted.headers()
                raise
            admitted = await self._admission.admit_caller(caller, route.limit_class, business_of(caller, path, query))
            onward.append((_ADMISSION, self._seal.sign(token).encode()))
        request.own_headers += admitted.headers()

    def _own_headers(self, request_id: str, incoming: Incoming) -> Headers:
        headers = [(b"x-request-id", request_id.encode()), *self._transport_headers]
        return headers + self._cors.headers(incoming.origin)

    async def _refuse(self, request: _Request, send: Send, error: CobroError | GatewayError) -> None:
        if isinstance(error, Limited):
            request.own_headers += error.admitted.headers()
        status, headers, body = error_answer(error, request.id)
        own = request.own_headers or self._own_headers(request.id, Incoming())
        await send_answer(send, status, headers + own, body)

    def _observe(self, request: _Request, seconds: float) -> None:
        method = request.scope["method"] if request.scope["method"] in METHODS else "OTHER"
        metrics.http_requests.labels(_SERVICE, method, request.route, str(request.status)).observe(seconds)
        self._access_log.write(
            request_id=request.id,
            trace_id=request.trace.trace_id,
            method=method,
            route=request.route,
            upstream=request.upstream,
            status=request.status,
            milliseconds=seconds * 1000,
        )


def _bearer(authorization: bytes | None) -> str:
    if authorization is None:
        raise Unauthenticated("A bearer token is needed", code="token_missing")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise Unauthenticated("A bearer token is needed", code="token_missing")
    return token.strip().decode("latin-1")
