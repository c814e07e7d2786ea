"""The FastAPI application of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from kernel import Unauthenticated
from starlette.types import ASGIApp

from chassis import tenancy
from chassis.auth import Principal, TokenVerifier
from chassis.auth.admission import HEADER as ADMISSION_HEADER
from chassis.http.direct import DirectRoutes, DirectTable
from chassis.http.errors import install_error_handlers
from chassis.http.health import Check, health_router
from chassis.http.middleware import BODY_LIMIT, BodyLimits, RequestMiddleware
from chassis.http.schemas import ErrorBody
from chassis.sessions import SessionCheck
from chassis.telemetry import metrics

ContextT = TypeVar("ContextT")

_bearer = HTTPBearer(auto_error=False, description="The access token of POST /api/v1/auth/login", bearerFormat="JWT")
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": description}
    for status, description in {
        400: "Malformed or invalid input",
        401: "No or bad token",
        403: "Known caller without the right",
        404: "Absent, or another tenant's",
        409: "Conflict with the present state",
        413: "Body too large",
        422: "A business rule, or an idempotency key reused with another body",
        429: "Too many requests",
        503: "A dependency is down",
    }.items()
}


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'default'}_{route.name}"


def create_app(
    service: str,
    *,
    context: object,
    verifier: TokenVerifier | None,
    routers: Sequence[APIRouter],
    checks: Mapping[str, Check],
    body_limit: int | BodyLimits = BODY_LIMIT,
    sessions: SessionCheck | None = None,
) -> FastAPI:
    """Routers get `Caller` and `context_of(...)` as dependencies; every route documents the common errors. Who verifies
    tokens must also check sessions."""
    if (verifier is None) != (sessions is None):
        raise ValueError("a verifier of tokens and a check of sessions go together")
    app = FastAPI(
        title=f"Cobro {service}",
        version="1",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses=_ERRORS,
        redirect_slashes=False,
        # The chassis has its own, across all protocols; FastAPI's would also log the values that failed validation.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.context = context
    app.state.service = service
    app.state.verifier = verifier
    app.state.sessions = sessions
    install_error_handlers(app)
    # There from the beginning, so that the first refusal is an increase.
    metrics.row_security_refusals.labels(service)
    app.include_router(health_router(service, checks))
    for router in routers:
        app.include_router(router)
    app.add_middleware(DirectRoutes, table=DirectTable(route for router in routers for route in router.routes))
    app.add_middleware(RequestMiddleware, service=service, body_limit=body_limit)
    app.middleware_stack = _from_ours_on(app.build_middleware_stack())
    return app


def _from_ours_on(stack: Any) -> ASGIApp:
    """Without the layers that FastAPI puts around every application's own (telemetry, a body limit, the answer to an
    error nobody has caught): RequestMiddleware does all of it."""
    while not isinstance(stack, RequestMiddleware):
        stack = stack.app
    return stack


async def authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The verified caller, whose scope the rest of the request has. A coroutine, so that it runs in the request's
    task."""
    if credentials is None:
        raise Unauthenticated("A bearer token is needed", code="token_missing")
    verifier: TokenVerifier = request.app.state.verifier
    sessions: SessionCheck = request.app.state.sessions
    token = credentials.credentials
    caller = await verifier.verify(token)
    await sessions.check(caller, token, request.headers.get(ADMISSION_HEADER))
    tenancy.enter(caller.tenancy)
    return caller


Caller = Annotated[Principal, Depends(authenticate)]


def context_of(kind: type[ContextT]) -> Any:
    """A dependency giving what the composition root built: `Annotated[SalesContext, context_of(SalesContext)]`."""

    async def dependency(request: Request) -> ContextT:
        context = request.app.state.context
        assert isinstance(context, kind)
        return context

    return Depends(dependency)
