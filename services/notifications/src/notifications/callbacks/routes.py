"""REST: where providers post what became of messages."""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import context_of
from fastapi import APIRouter, Request
from starlette.responses import Response

from notifications.callbacks import service
from notifications.callbacks.verifiers import SENDGRID_PATH, TWILIO_PATH
from notifications.context import NotificationsContext

router = APIRouter(tags=["notification-callbacks"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]


@router.post(TWILIO_PATH, status_code=204)
async def twilio_callback(request: Request, ctx: Ctx) -> Response:
    """Twilio's status callback, signed in X-Twilio-Signature. 204 once recorded; the same again does nothing."""
    await service.from_twilio(ctx, request.url.query, request.headers, await request.body())
    return Response(status_code=204)


@router.post(SENDGRID_PATH, status_code=204)
async def sendgrid_callback(request: Request, ctx: Ctx) -> Response:
    """SendGrid's event webhook, signed in X-Twilio-Email-Event-Webhook-Signature. 204 once recorded; the same again
    does nothing."""
    await service.from_sendgrid(ctx, request.headers, await request.body())
    return Response(status_code=204)
