"""Vonage's Messages API: JSON in, 202 with message_uuid out, Basic credentials, RFC 7807 problems."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from twins.faults import CALL_FAULTS, FaultKind, FaultPlan, hold
from twins.outbox.messages import Outbox

# E.164 without its plus.
_NUMBER = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_MAX_TEXT = 1000
_OPERATION = "messages.create"


def vonage_router(outbox: Outbox, faults: FaultPlan, api_key: str | None, api_secret: str | None) -> APIRouter:
    router = APIRouter(prefix="/vonage", include_in_schema=False)

    @router.post("/v1/messages")
    async def create(request: Request) -> Response:
        if not _authentic(request, api_key, api_secret):
            return _problem(401, "unauthorized", "You did not provide correct credentials.")
        try:
            body = orjson.loads(await request.body())
        except ValueError:
            body = None
        to = str(body.get("to", "")) if isinstance(body, dict) else ""
        fault = faults.take(CALL_FAULTS, _OPERATION, {to, f"+{to}"})
        kind = fault.kind if fault else None
        if kind is FaultKind.TIMEOUT_BEFORE:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500:
            return _problem(500, "internal-error", "Internal error")
        if kind is FaultKind.HTTP_429:
            return _problem(429, "rate-limit", "Too many requests", {"Retry-After": "1"})
        if kind is FaultKind.SLOW:
            await hold(request, (fault and fault.seconds) or 1.0)
        wrong = _wrong(body)
        if wrong is not None:
            return _problem(422, "invalid-params", wrong)
        message_id = str(uuid4())
        outbox.add("SMS", f"+{to}", f"+{body['from']}", text=body["text"], provider_id=message_id, provider="vonage")
        if kind is FaultKind.TIMEOUT_AFTER_CHARGING:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500_AFTER_CHARGING:
            return _problem(500, "internal-error", "Internal error")
        return JSONResponse({"message_uuid": message_id}, 202)

    return router


def _authentic(request: Request, api_key: str | None, api_secret: str | None) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    if scheme.lower() != "basic" or not user or not password or api_key not in (None, user):
        return False
    return api_secret is None or hmac.compare_digest(password.encode(), api_secret.encode())


def _wrong(body: Any) -> str | None:
    """The name of the first field that Vonage would not take."""
    if not isinstance(body, dict):
        return "body"
    if body.get("message_type") != "text" or body.get("channel") != "sms":
        return "message_type"
    for name in ("to", "from"):
        if not isinstance(body.get(name), str) or not _NUMBER.fullmatch(body[name]):
            return name
    text = body.get("text")
    return None if isinstance(text, str) and 0 < len(text) <= _MAX_TEXT else "text"


def _problem(status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = {
        "type": f"https://developer.vonage.com/api-errors#{kind}",
        "title": kind,
        "detail": detail,
        "instance": str(uuid4()),
    }
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")
