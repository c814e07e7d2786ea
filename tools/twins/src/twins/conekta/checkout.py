"""The hosted page a buyer sees, with the buttons a person needs to play the buyer."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twins.conekta.errors import ApiError
from twins.conekta.ledger import ORDER, Ledger
from twins.conekta.shapes import Json
from twins.pages import page, text
from twins.store import Store

_STATUS = {
    None: "Pendiente de pago",
    "pending_payment": "Pendiente de pago",
    "paid": "Pagado",
    "declined": "Rechazado",
    "expired": "Vencido",
    "canceled": "Cancelado",
    "refunded": "Devuelto",
    "partially_refunded": "Devuelto en parte",
}


def checkout_router(store: Store, ledger: Ledger) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/conekta/checkout/{slug}")
    async def show(slug: str) -> HTMLResponse:
        try:
            order = ledger.of_checkout(slug)
        except ApiError:
            return page("Pago", "<h1>Este enlace de pago no existe.</h1>", status=404)
        return page("Pago", _order_card(order, f"/conekta/checkout/{slug}"), width="30rem")

    @router.post("/conekta/checkout/{slug}/{action}")
    async def act(slug: str, action: Literal["pay", "decline", "expire"]) -> Response:
        try:
            order = ledger.of_checkout(slug)
        except ApiError:
            return page("Pago", "<h1>Este enlace de pago no existe.</h1>", status=404)
        _act(ledger, order["id"], action)
        return RedirectResponse(f"/conekta/checkout/{slug}", status_code=303)

    @router.get("/conekta/pagos")
    async def overview() -> HTMLResponse:
        cards = [_order_card(order, f"/conekta/pagos/{order['id']}") for order in store.newest(ORDER, 50)]
        body = "<h1>Pagos en el gemelo de Conekta</h1>" + ("".join(cards) or "<p>Todavía no hay ninguno.</p>")
        return page("Pagos", body, width="40rem")

    @router.post("/conekta/pagos/{id}/{action}")
    async def act_on(id: str, action: Literal["pay", "decline", "expire"]) -> Response:
        _act(ledger, id, action)
        return RedirectResponse("/conekta/pagos", status_code=303)

    return router


def _act(ledger: Ledger, id: str, action: Literal["pay", "decline", "expire"]) -> None:
    try:
        match action:
            case "pay":
                ledger.pay(id)
            case "decline":
                ledger.decline(id)
            case "expire":
                ledger.expire(id)
    except ApiError:
        return  # too late or gone; the page that follows shows how it stands


def _order_card(order: Json, action: str) -> str:
    name = order["line_items"]["data"][0]["name"]
    status = _STATUS.get(order["payment_status"], order["payment_status"])
    buttons = ""
    if order["payment_status"] in (None, "pending_payment"):
        buttons = "".join(
            f'<form method="post" action="{text(action)}/{verb}"><button class="{style}">{label}</button></form> '
            for verb, label, style in (
                ("pay", "Pagar", "main"),
                ("decline", "Rechazar", ""),
                ("expire", "Dejar vencer", ""),
            )
        )
    method = next((c["payment_method"] for c in (order["charges"] or {"data": []})["data"]), None)
    transfer = f"<p>CLABE {text(method['clabe'])} · {text(method['bank'])}</p>" if method and "clabe" in method else ""
    return (
        f'<div class="card"><p>{text(name)} <span class="tag">{text(status)}</span></p>'
        f'<p class="amount">$ {order["amount"] // 100}.{order["amount"] % 100:02d} {text(order["currency"])}</p>'
        f"{transfer}<p>{buttons}</p><small>{text(order['id'])}. Simulación: no se mueve dinero.</small></div>"
    )
