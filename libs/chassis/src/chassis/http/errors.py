"""The one translation of errors into HTTP, in the one error form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from kernel import CobroError, ErrorKind, FieldError
from pydantic.alias_generators import to_camel
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.telemetry import metrics
from chassis.telemetry.context import request_id
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

STATUS: Mapping[ErrorKind, int] = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.UNSUPPORTED_MEDIA: 415,
    ErrorKind.RULE: 422,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
# SQLSTATE classes: 08 connection, 53 resources, 57 operator intervention (shutdown, statement timeout).
_OUTAGE = frozenset({"08", "53", "57"})
_LOCK_TIMEOUT = "55P03"
_HTTP_CODES = {
    400: "bad_request",
    404: "route_not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def error_body(
    status: int, message: str, code: str, *, errors: Sequence[FieldError] = (), request: str | None = None
) -> bytes:
    return orjson.dumps(
        {
            "statusCode": status,
            "message": message,
            "code": code,
            "errors": [{"field": error.field, "message": error.message} for error in errors],
            "requestId": request if request is not None else request_id.get(),
        }
    )


def error_response(
    status: int,
    message: str,
    code: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = error_body(status, message, code, errors=errors)
    return Response(body, status, media_type="application/json", headers=dict(headers or {}))


def cobro_error_response(error: CobroError) -> Response:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.kind is ErrorKind.UNAVAILABLE:
        headers.setdefault("Retry-After", "2")
    return error_response(STATUS[error.kind], error.message, error.code, errors=error.errors, headers=headers)


def is_database_outage(error: BaseException) -> bool:
    """Whether an error means that PostgreSQL cannot be reached, rather than that a statement was wrong."""
    if isinstance(error, PoolTimeout | InterfaceError | OSError | TimeoutError | asyncpg.InterfaceError):
        return True
    if isinstance(error, asyncpg.InternalClientError):  # a server that ended the connection under a new statement
        return True
    if isinstance(error, asyncpg.PostgresError):  # raised bare while connecting
        return _outage(error.sqlstate or "")
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or _outage(code) or isinstance(error, OperationalError)
    return False


def is_row_violation(error: BaseException) -> bool:
    """Whether row-level security refused a row that was to be written.

    By the function that raised it: its SQLSTATE 42501 is also that of a missing GRANT, which is a bug of ours.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.driver_exception
    return (
        isinstance(error, asyncpg.InsufficientPrivilegeError)
        and getattr(error, "server_source_function", None) == "ExecWithCheckOptions"
    )


def refused_by_row_security(service: str, where: str) -> None:
    """Log and count what the first barrier let through and the second did not: every one is a bug, or an attack."""
    metrics.row_security_refusals.labels(service).inc()
    log.error("row_security.refused", where=where)


def _outage(code: str) -> bool:
    return code[:2] in _OUTAGE or code == _LOCK_TIMEOUT


def response_of(request: Request, error: Exception) -> Response | None:
    """What a client is told of an error; None when it is none we know, and so a bug."""
    if isinstance(error, CobroError):
        return cobro_error_response(error)
    if isinstance(error, RequestValidationError):
        # Where JSON is broken, the location is a byte's number and no field.
        fields = [
            FieldError("body" if item["type"] == "json_invalid" else _path(item["loc"]), _message(item))
            for item in error.errors()[:50]
        ]
        return error_response(400, "Validation failed", "validation_failed", errors=fields)
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "error")
        return error_response(error.status_code, str(error.detail), code, headers=error.headers)
    if is_row_violation(error):
        route = getattr(request.scope.get("route"), "path", "unmatched")
        refused_by_row_security(request.app.state.service, f"{request.method} {route}")
        return error_response(404, "Not found", "not_found")
    if is_database_outage(error):
        log.warning("database.unavailable", error=type(error).__name__)
        message = "The database is not available"
        return error_response(503, message, "database_unavailable", headers={"Retry-After": "2"})
    return None


async def _on_error(request: Request, error: Exception) -> Response:
    response = response_of(request, error)
    if response is None:
        raise error
    return response


def install_error_handlers(app: FastAPI) -> None:
    driver = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    database = (DBAPIError, PoolTimeout, *driver, OSError, TimeoutError)
    for kind in (CobroError, RequestValidationError, HTTPException, *database):
        app.add_exception_handler(kind, _on_error)


def _path(location: Sequence[Any]) -> str:
    source, *rest = location
    if source not in {"body", "query", "path", "header"}:
        rest = list(location)
    parts = [str(part) if isinstance(part, int) else to_camel(part) if "_" in part else part for part in rest]
    return ".".join(parts) or str(source)


def _message(item: Mapping[str, Any]) -> str:
    message = str(item["msg"])
    return message.removeprefix("Value error, ")
