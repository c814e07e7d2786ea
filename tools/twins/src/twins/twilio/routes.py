"""Twilio's Messages resource: form in, JSON out, Basic credentials, Twilio's error numbers."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from twins.faults import CALL_FAULTS, FaultKind, FaultPlan, hold
from twins.outbox.messages import Outbox
from twins.reports import Reports
from twins.twilio.reports import status_posts

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MAX_BODY = 1600
_OPERATION = "messages.create"


def twilio_router(
    outbox: Outbox, faults: FaultPlan, account_sid: str | None, auth_token: str | None, reports: Reports
) -> APIRouter:
    router = APIRouter(prefix="/twilio", include_in_schema=False)

    @router.post("/2010-04-01/Accounts/{sid}/Messages.json")
    async def create(sid: str, request: Request) -> Response:
        if not _authentic(request, sid, account_sid, auth_token):
            return _error(401, 20003, "Authenticate")
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=100))
        to = form.get("To", "")
        fault = faults.take(CALL_FAULTS, _OPERATION, {to})
        kind = fault.kind if fault else None
        if kind is FaultKind.TIMEOUT_BEFORE:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500:
            return _error(500, 20500, "Internal Server Error")
        if kind is FaultKind.HTTP_429:
            return _error(429, 20429, "Too Many Requests")
        if kind is FaultKind.SLOW:
            await hold(request, (fault and fault.seconds) or 1.0)
        problem = _problem(form)
        if problem is not None:
            return _error(400, *problem)
        message = _message(sid, form)
        outbox.add(
            "SMS",
            to,
            form.get("From") or form["MessagingServiceSid"],
            text=form["Body"],
            provider_id=message["sid"],
            provider="twilio",
        )
        if form.get("StatusCallback"):
            reports.post(status_posts(form["StatusCallback"], message, _password(request)))
        if kind is FaultKind.TIMEOUT_AFTER_CHARGING:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500_AFTER_CHARGING:
            return _error(500, 20500, "Internal Server Error")
        if kind is FaultKind.GARBAGE_JSON:
            return Response('{"sid": "SM', 201, media_type="application/json")
        return JSONResponse(message, 201)

    return router


def _authentic(request: Request, sid: str, account_sid: str | None, auth_token: str | None) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    if scheme.lower() != "basic" or user != sid or not password or account_sid not in (None, sid):
        return False
    return auth_token is None or hmac.compare_digest(password.encode(), auth_token.encode())


def _password(request: Request) -> str:
    """The auth token that the caller has just shown to know."""
    return base64.b64decode(request.headers["Authorization"].partition(" ")[2]).decode().partition(":")[2]


def _problem(form: dict[str, str]) -> tuple[int, str] | None:
    to, body = form.get("To", ""), form.get("Body", "")
    if not to:
        return 21604, "A 'To' phone number is required."
    if not _E164.fullmatch(to):
        return 21211, "The 'To' number is not a valid phone number."
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603, "A 'From' phone number is required."
    if not body:
        return 21602, "Message body is required."
    if len(body) > _MAX_BODY:
        return 21617, "The concatenated message body exceeds the 1600 character limit."
    return None


def _message(account_sid: str, form: dict[str, str]) -> dict[str, Any]:
    sid = f"SM{secrets.token_hex(16)}"
    now = formatdate(usegmt=True)
    body = form["Body"]
    per_segment = 153 if body.isascii() else 67
    single = 160 if body.isascii() else 70
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{sid}"
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": body,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": str(1 if len(body) <= single else -(-len(body) // per_segment)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": form["To"],
        "uri": f"{uri}.json",
    }


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse(
        {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        status,
        headers={"Retry-After": "1"} if status == 429 else None,
    )
