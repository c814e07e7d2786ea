"""SendGrid's mail send: JSON in, 202 with X-Message-Id and no body out, Bearer credentials."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from twins.faults import CALL_FAULTS, FaultKind, FaultPlan, hold
from twins.outbox.messages import Outbox
from twins.reports import Reports
from twins.sendgrid.reports import EventWebhook

_OPERATION = "mail.send"


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Address(_Request):
    email: Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
    name: StrictStr | None = None


class Personalization(_Request):
    to: Annotated[list[Address], Field(min_length=1, max_length=1000)]
    subject: StrictStr | None = None


class Content(_Request):
    type: Annotated[StrictStr, Field(min_length=1)]
    value: Annotated[StrictStr, Field(min_length=1)]


class Attachment(_Request):
    content: Annotated[StrictStr, Field(min_length=1)]
    filename: Annotated[StrictStr, Field(min_length=1)]
    type: StrictStr | None = None


class Mail(_Request):
    personalizations: Annotated[list[Personalization], Field(min_length=1, max_length=1000)]
    sender: Annotated[Address, Field(alias="from")]
    subject: StrictStr | None = None
    content: Annotated[list[Content], Field(min_length=1)]
    attachments: list[Attachment] = []
    headers: dict[str, StrictStr] = {}
    custom_args: dict[str, StrictStr] = {}


def sendgrid_router(
    outbox: Outbox, faults: FaultPlan, api_key: str | None, reports: Reports, events: EventWebhook | None
) -> APIRouter:
    router = APIRouter(prefix="/sendgrid", include_in_schema=False)

    @router.post("/v3/mail/send")
    async def send(request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = api_key is None or hmac.compare_digest(token.encode(), api_key.encode())
        if scheme.lower() != "bearer" or not token or not known:
            return _error(401, "The provided authorization grant is invalid, expired, or revoked")
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return _error(415, "Content-Type should be application/json.")
        try:
            mail = Mail.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            return _error(400, first["msg"], ".".join(str(part) for part in first["loc"]) or None)
        recipients = [address.email for entry in mail.personalizations for address in entry.to]
        fault = faults.take(CALL_FAULTS, _OPERATION, recipients)
        kind = fault.kind if fault else None
        if kind is FaultKind.TIMEOUT_BEFORE:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500:
            return _error(500, "internal error")
        if kind is FaultKind.HTTP_429:
            return _error(429, "too many requests", headers={"X-RateLimit-Remaining": "0", "Retry-After": "1"})
        if kind is FaultKind.SLOW:
            await hold(request, (fault and fault.seconds) or 1.0)
        files = _attachments(mail)
        if files is None:
            return _error(400, "The attachment content must be base64 encoded.", "attachments.0.content")
        message_id = secrets.token_urlsafe(16)
        _file(outbox, mail, files, message_id)
        if events is not None:
            reports.post(events.posts(message_id, recipients, mail.custom_args))
        if kind is FaultKind.TIMEOUT_AFTER_CHARGING:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500_AFTER_CHARGING:
            return _error(500, "internal error")
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    return router


def _file(outbox: Outbox, mail: Mail, files: list[dict[str, Any]], message_id: str) -> None:
    bodies = {part.type: part.value for part in mail.content}
    for entry in mail.personalizations:
        for address in entry.to:
            outbox.add(
                "EMAIL",
                address.email,
                mail.sender.email,
                subject=entry.subject or mail.subject,
                text=bodies.get("text/plain", ""),
                html=bodies.get("text/html"),
                attachments=files,
                provider_id=message_id,
                provider="sendgrid",
                headers=mail.headers,
            )


def _attachments(mail: Mail) -> list[dict[str, Any]] | None:
    """What is kept of each, or None where one is not Base64."""
    try:
        return [
            {"filename": file.filename, "type": file.type, "size": len(base64.b64decode(file.content, validate=True))}
            for file in mail.attachments
        ]
    except (binascii.Error, ValueError):
        return None


def _error(status: int, message: str, field: str | None = None, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"errors": [{"message": message, "field": field, "help": None}]}, status, headers=headers)
