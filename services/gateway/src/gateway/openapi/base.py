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


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


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
        "tags": [{"name": "health", "description": "The state of the suite"}],
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
