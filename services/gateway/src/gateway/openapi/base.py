"""The gateway's own part of the merged document: what it is, how to authenticate, and the errors it can give itself."""

from __future__ import annotations

from typing import Any

from chassis.http.schemas import ErrorBody

_TITLE = "Cobro"
_DESCRIPTION = (
    "The back office of a Latin American merchant: businesses and branches, products and stock, sales, payments, "
    "invoices, notifications and reports. Amounts are decimal strings, times ISO 8601 in UTC, ids UUIDs. Every POST "
    "takes an `Idempotency-Key`. Errors have one form (`ErrorBody`)."
)
_ADDED = {
    "413": "Body too large",
    "429": "Too many requests; see `Retry-After` and `RateLimit`",
    "502": "The service behind gave no valid answer",
    "503": "The service behind, or something it depends on, is down; see `Retry-After`",
    "504": "The service behind took too long to answer",
}


# An error each: message, code.
_ERRORS = {
    "400": ("Validation failed", "validation_failed"),
    "401": ("The access token has expired", "token_expired"),
    "403": ("Only the owner of the business may do this", "forbidden"),
    "404": ("Not found", "not_found"),
    "409": ("The same request is being worked on", "idempotency_in_progress"),
    "413": ("The body is larger than 1048576 bytes", "too_large"),
    "415": ("The media type is not supported", "unsupported_media_type"),
    "422": ("The idempotency key was used with another body", "idempotency_key_reused"),
    "429": ("Too many requests", "rate_limited"),
    "502": ("The sales service gave no valid answer", "bad_gateway"),
    "503": ("The sales service is not available", "upstream_unavailable"),
    "504": ("The sales service took too long to answer", "upstream_timeout"),
}
_HEADERS = {
    "RetryAfter": ("Seconds until it is worth asking again", "2"),
    "RateLimit": (
        "Of each limit that the request counts under: requests left, seconds until all are back",
        '"api";r=299;t=1, "business";r=2998;t=1',
    ),
    "RateLimitPolicy": (
        "Those limits: requests per window of seconds",
        '"api";q=1200;w=60, "business";q=12000;w=60',
    ),
    "RequestId": ("What to name when asking for help; the request's own, where it brought one", "req-2f6c1b7a"),
}


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _error_example(status: str, message: str, code: str) -> dict[str, Any]:
    errors = [{"field": "email", "message": "is not an e-mail address"}] if status == "400" else []
    value = {"statusCode": int(status), "message": message, "code": code, "errors": errors, "requestId": "req-2f6c1b7a"}
    return {"summary": code, "value": value}


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def base_document() -> dict[str, Any]:
    """Fresh at each call. `x-added-responses`, what every operation of a service gets in addition, is not published."""
    schema = ErrorBody.model_json_schema(
        by_alias=True, mode="serialization", ref_template="#/components/schemas/{model}"
    )
    definitions = schema.pop("$defs", {})
    health = {
        "type": "object",
        "title": "SuiteHealth",
        "required": ["status", "services"],
        "properties": {
            "status": {"type": "string", "enum": ["ok", "degraded"]},
            "services": {
                "type": "object",
                "additionalProperties": {"type": "string", "enum": ["up", "unready", "down"]},
            },
        },
        "examples": [{"status": "ok", "services": {"auth": "up", "payments": "up"}}],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {
            "/health": {
                "get": {
                    "tags": ["health"],
                    "operationId": "health_summary",
                    "summary": "Which services are up",
                    "responses": {
                        "200": {
                            "description": "The state of every service",
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SuiteHealth"}}},
                        },
                        "429": _error(_ADDED["429"]),
                    },
                }
            }
        },
        "components": {
            "schemas": {**definitions, "ErrorBody": schema, "SuiteHealth": health},
            "examples": {f"Error{status}": _error_example(status, *said) for status, said in _ERRORS.items()},
            "headers": {name: _header(*said) for name, said in _HEADERS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of POST /api/v1/auth/login",
                }
            },
        },
        "x-added-responses": {status: _error(description) for status, description in _ADDED.items()},
    }
