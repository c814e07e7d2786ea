"""PayU's API 4.0, as far as an integrator of WebCheckout, PSE and refunds meets it, and the checkout itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from twins.pages import page, text
from twins.payu import errors, requests, shapes
from twins.payu.calls import PayuCalls
from twins.payu.errors import ApiError
from twins.payu.ledger import Ledger, reference_keys
from twins.payu.settings import PayuTwinSettings
from twins.provider.book import Json

CHECKOUT: Final = "ppp-web-gateway-payu"
_PAYMENTS: Final = "payments"
_REPORTS: Final = "reports"


class Api:
    def __init__(self, calls: PayuCalls, ledger: Ledger, settings: PayuTwinSettings) -> None:
        self._calls = calls
        self._ledger = ledger
        self._settings = settings
        self._commands = {
            (_PAYMENTS, "SUBMIT_TRANSACTION"): self.submit,
            (_PAYMENTS, "GET_BANKS_LIST"): self.banks,
            (_PAYMENTS, "PING"): self.ping,
            (_REPORTS, "ORDER_DETAIL"): self.order,
            (_REPORTS, "ORDER_DETAIL_BY_REFERENCE_CODE"): self.orders_of,
            (_REPORTS, "TRANSACTION_RESPONSE_DETAIL"): self.transaction,
            (_REPORTS, "PING"): self.ping,
        }

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/payu", include_in_schema=False)
        answer = self._calls.endpoint(_operation, self.perform, self._references)
        for name in (_PAYMENTS, _REPORTS):
            router.add_route(f"{router.prefix}/{name}-api/4.0/service.cgi", answer, ["POST"])
        return router

    def perform(self, request: Request, body: Any) -> Json:
        handler = self._commands.get((_section(request), str(body.get("command"))))
        if handler is None:
            raise errors.invalid("command", "no es válido")
        return handler(body)

    def submit(self, body: Json) -> Json:
        transaction = body.get("transaction")
        if _operation_of(body) == "refunds.submit":
            order = self._ledger.refund(requests.read(requests.Refund, transaction))
            return shapes.refund_declined(order) if order["refund"] is None else shapes.refund_accepted(order)
        order = self._ledger.submit(requests.read_payment(transaction, self._settings))
        return shapes.submitted(order, order["transactions"][0])

    def banks(self, body: Json) -> Json:
        banks = [{"id": f"b{code}", "description": name, "pseCode": code} for code, name in requests.BANKS.items()]
        return {"code": "SUCCESS", "error": None, "banks": banks}

    def ping(self, body: Json) -> Json:
        return {"code": "SUCCESS", "error": None, "transactionResponse": None}

    def order(self, body: Json) -> Json:
        found = self._ledger.visible(_detail(body, "orderId"))
        return _found(self._shown(found[0])) if found else self._absent()

    def orders_of(self, body: Json) -> Json:
        found = self._ledger.visible(_detail(body, "referenceCode"))
        return _found([self._shown(order) for order in found]) if found else self._absent()

    def transaction(self, body: Json) -> Json:
        id = _detail(body, "transactionId")
        for order in self._ledger.visible(id):
            for entry in self._shown(order)["transactions"]:
                if entry["id"] == id:
                    return _found(entry["transactionResponse"])
        return self._absent()

    def _shown(self, order: Json) -> Json:
        return shapes.shown(order, show_bank_url=self._settings.show_bank_url)

    def _absent(self) -> Json:
        match self._settings.absent:
            case "result":
                return {"code": "SUCCESS", "error": None, "result": None}
            case "payload":
                return _found(None)
            case "list":
                return _found([])
            case _:
                raise errors.not_found()

    def _references(self, request: Request, body: Any) -> Collection[str]:
        details = body.get("details")
        named = list(details.values()) if isinstance(details, dict) else []
        transaction = body.get("transaction")
        order = transaction.get("order") if isinstance(transaction, dict) else None
        if isinstance(order, dict):
            named += [order.get("referenceCode"), order.get("id")]
        keys = {str(value) for value in named if isinstance(value, str | int)}
        return keys.union(*(reference_keys(order) for key in keys for order in self._ledger.all_named(key)))


def page_router(ledger: Ledger, settings: PayuTwinSettings) -> APIRouter:
    """Where buyers arrive: by a form, or sent on to their bank."""
    router = APIRouter(prefix="/payu", include_in_schema=False)

    @router.post(f"/{CHECKOUT}/")
    async def checkout(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=200))
        try:
            order = ledger.open_checkout(requests.read_checkout(fields, settings))
        except ApiError as refusal:
            return page("PayU", f"<h1>Error</h1><p>{text(refusal.message)}</p>", status=400)
        return RedirectResponse(f"/payu/{CHECKOUT}/app/{order['id']}", status_code=303)

    @router.get("/payments-api/pse-caller")
    async def bank(enc: str) -> RedirectResponse:
        known = [order["id"] for order in ledger.all_named(enc)]
        return RedirectResponse(f"/payu/{CHECKOUT}/app/{known[0] if known else 0}", status_code=303)

    return router


def _section(request: Request) -> str:
    return _REPORTS if "/reports-api/" in request.url.path else _PAYMENTS


def _operation(request: Request, body: Any) -> str:
    return _operation_of(body)


def _operation_of(body: Json) -> str:
    command = body.get("command")
    if command == "SUBMIT_TRANSACTION":
        transaction = body.get("transaction")
        kind = transaction.get("type") if isinstance(transaction, dict) else None
        return "refunds.submit" if kind in ("REFUND", "PARTIAL_REFUND") else "transactions.submit"
    names = {
        "GET_BANKS_LIST": "banks.list",
        "PING": "ping",
        "ORDER_DETAIL": "orders.get",
        "ORDER_DETAIL_BY_REFERENCE_CODE": "orders.search",
        "TRANSACTION_RESPONSE_DETAIL": "transactions.get",
    }
    return names.get(command, "unknown") if isinstance(command, str) else "unknown"


def _detail(body: Json, name: str) -> str:
    details = body.get("details")
    value = details.get(name) if isinstance(details, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise errors.invalid(f"details.{name}", "es obligatorio")
    return str(value)


def _found(payload: Any) -> Json:
    return {"code": "SUCCESS", "error": None, "result": {"payload": payload}}
