"""Looking at the outbox: JSON for tests, pages for people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from twins.outbox.messages import Channel, Outbox
from twins.pages import page, text

# What was sent is shown as it was sent, so it runs nothing and reaches nothing.
_SEALED = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"}


def outbox_router(outbox: Outbox) -> APIRouter:
    router = APIRouter(tags=["outbox"])

    @router.get("/_control/messages")
    async def messages(
        to: str | None = None,
        channel: Channel | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Newest first. to: the exact number or address."""
        return {"data": outbox.list(to, channel, limit)}

    @router.get("/outbox", include_in_schema=False)
    async def overview() -> HTMLResponse:
        rows = "".join(_row(message) for message in outbox.list(None, None, 200))
        table = (
            "<table><tr><th>Cuándo</th><th>Canal</th><th>Para</th><th>Mensaje</th></tr>" + rows + "</table>"
            if rows
            else "<p>Todavía no se ha enviado nada.</p>"
        )
        return page("Bandeja de salida", f"<h1>Bandeja de salida</h1>{table}")

    @router.get("/outbox/{id}", include_in_schema=False)
    async def one(id: str) -> HTMLResponse:
        message = outbox.get(id)
        if message is None:
            return page("Mensaje", "<h1>Este mensaje no existe.</h1>", status=404)
        files = "".join(f"<li>{text(file['filename'])} ({file['size']} bytes)</li>" for file in message["attachments"])
        content = (
            f'<iframe sandbox src="/outbox/{text(id)}/html" title="Mensaje"></iframe>'
            if message["html"]
            else f"<pre>{text(message['text'])}</pre>"
        )
        return page(
            "Mensaje",
            f'<p><a href="/outbox">Bandeja de salida</a></p><h1>{text(message["subject"] or message["channel"])}</h1>'
            f'<p class="quiet">{text(message["sentAt"])} · de {text(message["from"])} · para {text(message["to"])}</p>'
            f'<div class="card">{content}</div><ul>{files}</ul>',
        )

    @router.get("/outbox/{id}/html", include_in_schema=False)
    async def html(id: str) -> HTMLResponse:
        message = outbox.get(id)
        return HTMLResponse((message or {}).get("html") or "", headers=_SEALED)

    return router


def _row(message: dict[str, Any]) -> str:
    summary = message["subject"] or message["text"]
    return (
        f'<tr><td>{text(message["sentAt"])}</td><td><span class="tag">{text(message["channel"])}</span></td>'
        f'<td>{text(message["to"])}</td><td><a href="/outbox/{text(message["id"])}">{text(summary[:160])}</a></td></tr>'
    )
