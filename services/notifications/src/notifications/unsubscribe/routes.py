"""REST: /unsubscribe, for whoever has the link: people with a browser, and mail programs (RFC 8058)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from chassis.http.app import context_of
from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from notifications.context import NotificationsContext
from notifications.unsubscribe import service
from notifications.unsubscribe.page import HEADERS, rendered

router = APIRouter(prefix="/api/v1/unsubscribe", tags=["unsubscribe"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]
Token = Annotated[str, Path(max_length=100)]
# Errors are in the form of every other operation, which a response class of HTML would hide.
_PAGE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


@router.get("/{unsubscribe_token}", response_class=Response, responses=_PAGE)
async def show_unsubscribe(unsubscribe_token: Token, ctx: Ctx) -> HTMLResponse:
    """Asks first: programs that look into every link of an e-mail must not switch anything off."""
    return HTMLResponse(rendered(await service.look(ctx, unsubscribe_token), done=False), headers=HEADERS)


@router.post("/{unsubscribe_token}", response_class=Response, responses=_PAGE)
async def unsubscribe(unsubscribe_token: Token, ctx: Ctx) -> HTMLResponse:
    """Switches this kind of message off, in one click. The body is not read, and the same again does the same: mail
    programs send no Idempotency-Key."""
    return HTMLResponse(rendered(await service.switch_off(ctx, unsubscribe_token), done=True), headers=HEADERS)
