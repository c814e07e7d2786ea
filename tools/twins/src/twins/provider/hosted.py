"""The provider's page as a buyer sees it, with buttons to play the buyer, and all payments at a glance."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twins.pages import page, text
from twins.provider.book import Book, Refusal, Standing, View

Action = Literal["pay", "decline", "expire"]

_WORDS = {
    "es": {
        Standing.PENDING: "Pendiente de pago",
        Standing.PAID: "Pagado",
        Standing.DECLINED: "Rechazado",
        Standing.EXPIRED: "Vencido",
        Standing.CANCELED: "Cancelado",
        Standing.REFUNDED: "Devuelto",
        Standing.PARTIALLY_REFUNDED: "Devuelto en parte",
        "title": "Pago",
        "pay": "Pagar",
        "decline": "Rechazar",
        "expire": "Dejar vencer",
        "absent": "Este enlace de pago no existe.",
        "simulated": "Simulación: no se mueve dinero.",
        "back": "Volver al comercio",
        "none": "Todavía no hay ninguno.",
        "all": "Pagos en el gemelo de",
    },
    "pt": {
        Standing.PENDING: "Aguardando pagamento",
        Standing.PAID: "Pago",
        Standing.DECLINED: "Recusado",
        Standing.EXPIRED: "Vencido",
        Standing.CANCELED: "Cancelado",
        Standing.REFUNDED: "Devolvido",
        Standing.PARTIALLY_REFUNDED: "Devolvido em parte",
        "title": "Pagamento",
        "pay": "Pagar",
        "decline": "Recusar",
        "expire": "Deixar vencer",
        "absent": "Este link de pagamento não existe.",
        "simulated": "Simulação: nenhum dinheiro se move.",
        "back": "Voltar à loja",
        "none": "Ainda não há nenhum.",
        "all": "Pagamentos no gêmeo de",
    },
    "en": {
        Standing.PENDING: "Waiting for payment",
        Standing.PAID: "Paid",
        Standing.DECLINED: "Declined",
        Standing.EXPIRED: "Expired",
        Standing.CANCELED: "Canceled",
        Standing.REFUNDED: "Refunded",
        Standing.PARTIALLY_REFUNDED: "Partially refunded",
        "title": "Payment",
        "pay": "Pay",
        "decline": "Decline",
        "expire": "Let it expire",
        "absent": "This payment link does not exist.",
        "simulated": "Simulation: no money moves.",
        "back": "Back to the shop",
        "none": "There is none yet.",
        "all": "Payments in the twin of",
    },
}


def hosted_router(name: str, title: str, book: Book, path: str) -> APIRouter:
    """path: of the buyer's page below /<name>, such as `checkout`; what follows is a key of the payment. All payments
    are at /<name>/pagos.
    """
    router = APIRouter(prefix=f"/{name}", include_in_schema=False)

    @router.get("/pagos")
    async def overview(request: Request) -> HTMLResponse:
        language = language_of(request)
        words = _WORDS[language]
        views = [book.view(payment) for payment in book.newest(50)]
        cards = "".join(card(view, f"/{name}/pagos/{view.id}", language) for view in views)
        body = f"<h1>{words['all']} {text(title)}</h1>" + (cards or f"<p>{words['none']}</p>")
        return page(title, body, width="40rem")

    @router.post("/pagos/{id}/{action}")
    async def act_on(id: str, action: Action) -> Response:
        play(book, id, action)
        return RedirectResponse(f"/{name}/pagos", status_code=303)

    @router.get(f"/{path}/{{key}}")
    async def show(key: str, request: Request) -> HTMLResponse:
        return buyer_page(book, key, f"/{name}/{path}/{key}", language_of(request))

    @router.post(f"/{path}/{{key}}/{{action}}")
    async def act(key: str, action: Action, request: Request) -> Response:
        if not play(book, key, action):
            return buyer_page(book, key, "", language_of(request))
        language = request.query_params.get("lang")
        suffix = f"?lang={language}" if language in _WORDS else ""
        return RedirectResponse(f"/{name}/{path}/{key}{suffix}", status_code=303)

    return router


def buyer_page(book: Book, key: str, action: str, language: str) -> HTMLResponse:
    """action: below which the buttons post."""
    words = _WORDS[language]
    try:
        view = book.view(book.named(key))
    except Refusal:
        return page(words["title"], f"<h1>{words['absent']}</h1>", status=404)
    return page(words["title"], card(view, action, language), width="30rem")


def play(book: Book, key: str, action: Action) -> bool:
    """False: there is no such payment. Too late is no error: the page that follows shows how it stands."""
    try:
        id = book.view(book.named(key)).id
    except Refusal:
        return False
    try:
        match action:
            case "pay":
                book.pay(id)
            case "decline":
                book.decline(id)
            case "expire":
                book.expire(id)
    except Refusal:
        return True
    return True


def card(view: View, action: str, language: str) -> str:
    words = _WORDS[language]
    buttons = ""
    if view.standing is Standing.PENDING:
        query = f"?lang={language}" if language != "es" else ""
        buttons = "".join(
            f'<form method="post" action="{text(action)}/{verb}{query}">'
            f'<button class="{"main" if verb == "pay" else ""}">{words[verb]}</button></form> '
            for verb in ("pay", "decline", "expire")
        )
    elif view.return_url:
        buttons = f'<a href="{text(view.return_url)}">{words["back"]}</a>'
    how = f"<p>{text(view.how)}</p>" if view.how else ""
    return (
        f'<div class="card"><p>{text(view.title)}'
        f' <span class="tag">{text(words.get(view.standing, view.status))}</span></p>'
        f'<p class="amount">{text(view.amount)}</p>'
        f"{how}<p>{buttons}</p><small>{text(view.id)}. {words['simulated']}</small></div>"
    )


def language_of(request: Request) -> str:
    """By ?lang= or else by what the browser prefers, of es, pt and en."""
    asked = request.query_params.get("lang", "")
    preferred = request.headers.get("Accept-Language", "").split(",")
    for wanted in (asked, *(part.partition(";")[0].strip()[:2].lower() for part in preferred)):
        if wanted in _WORDS:
            return wanted
    return "es"
