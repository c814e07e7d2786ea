"""Khipu's API v3, as far as an integrator of payments and refunds meets it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from twins.khipu import errors, requests, shapes
from twins.khipu.calls import KhipuCalls
from twins.khipu.ledger import PAYMENT, Ledger, reference_keys
from twins.khipu.settings import KhipuTwinSettings
from twins.provider.book import Json

_MAX_TRANSFER = 5_000_000


class Api:
    def __init__(self, calls: KhipuCalls, ledger: Ledger, settings: KhipuTwinSettings) -> None:
        self._calls = calls
        self._ledger = ledger
        self._settings = settings

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/khipu", include_in_schema=False)
        created = self._settings.create_status
        for method, path, operation, handler, references, status in (
            ("POST", "/payments", "payments.create", self.create, _of_creation, created),
            ("GET", "/payments/{id}", "payments.get", self.get, self._of_payment, 200),
            ("DELETE", "/payments/{id}", "payments.delete", self.delete, self._of_payment, 200),
            ("POST", "/payments/{id}/refunds", "payments.refund", self.refund_payment, self._of_payment, 200),
            ("POST", "/refunds", "refunds.create", self.refund, self._of_refund, 200),
            ("GET", "/banks", "banks.list", self.banks, _nothing, 200),
            ("GET", "/merchants/{id}/paymentMethods", "methods.list", self.methods, _nothing, 200),
            ("GET", "/predict", "predict", self.predict, _nothing, 200),
        ):
            answer = self._calls.endpoint(operation, handler, references, status)
            router.add_route(f"{router.prefix}/v3{path}", answer, [method])
        return router

    def create(self, request: Request, body: Any) -> Json:
        return shapes.addresses(self._ledger.create(requests.read(requests.Payment, body), request.state.receiver_id))

    def get(self, request: Request, body: Any) -> Json:
        return self._shown(self._own(request, request.path_params["id"]))

    def delete(self, request: Request, body: Any) -> Json:
        self._ledger.delete(self._own(request, request.path_params["id"])["payment_id"])
        return {"message": "Pago eliminado"}

    def refund(self, request: Request, body: Any) -> Json:
        wanted = requests.read(requests.Refund, body)
        payment = self._ledger.refund(self._own(request, wanted.payment_id)["payment_id"], wanted.amount)
        return shapes.refunded(payment, payment["refunds"][-1])

    def refund_payment(self, request: Request, body: Any) -> Json:
        id = self._own(request, request.path_params["id"])["payment_id"]
        self._ledger.refund(id, requests.read(requests.PaymentRefund, body).amount)
        return {"message": "La reversa está en proceso."}

    def banks(self, request: Request, body: Any) -> Json:
        bank = {"bank_id": shapes.BANK["bank_id"], "name": shapes.BANK["bank"], "message": "Banco de pruebas"}
        return {"banks": [bank | {"min_amount": 1, "type": "Persona", "parent": "", "logo_url": ""}]}

    def methods(self, request: Request, body: Any) -> Json:
        if request.path_params["id"] != str(request.state.receiver_id):
            raise errors.not_found()
        names = {"SIMPLIFIED_TRANSFER": "Transferencia simplificada", "REGULAR_TRANSFER": "Transferencia normal"}
        return {"paymentMethods": [{"id": id, "name": name, "logo_url": ""} for id, name in names.items()]}

    def predict(self, request: Request, body: Any) -> Json:
        query = request.query_params
        for name in ("payer_email", "bank_id", "amount", "currency"):
            if not query.get(name):
                raise errors.invalid(name, "es obligatorio")
        amount = query["amount"]
        too_much = not amount.isascii() or not amount.isdigit() or int(amount[:12]) > _MAX_TRANSFER
        return {
            "result": "max_amount_exceeded" if too_much else "ok",
            "max_amount": _MAX_TRANSFER,
            "cool_down_date": "",
            "new_destinatary_max_amount": _MAX_TRANSFER,
        }

    def _own(self, request: Request, id: str) -> Json:
        """Raises ApiError for a payment of another account, as for none."""
        payment = self._ledger.read(id)
        if payment["receiver_id"] != request.state.receiver_id:
            raise errors.not_found()
        return payment

    def _shown(self, payment: Json) -> Json:
        return shapes.shown(payment, amounts=self._settings.amounts, list_refunds=self._settings.list_refunds)

    def _of_payment(self, request: Request, body: Any) -> Collection[str]:
        return self._known(request.path_params["id"])

    def _of_refund(self, request: Request, body: Any) -> Collection[str]:
        id = body.get("payment_id") if isinstance(body, dict) else None
        return self._known(id) if isinstance(id, str) else ()

    def _known(self, id: str) -> Collection[str]:
        payment = self._ledger.store.get(PAYMENT, id)
        return reference_keys(payment) if payment else ()


def page_router() -> APIRouter:
    """The two pages of a transfer, which are the one page here."""
    router = APIRouter(prefix="/khipu", include_in_schema=False)

    @router.get("/payment/{kind}/{id}")
    async def transfer(kind: Literal["simplified", "manual"], id: str) -> RedirectResponse:
        return RedirectResponse(f"/khipu/payment/info/{id}", status_code=303)

    return router


def _of_creation(request: Request, body: Any) -> Collection[str]:
    reference = body.get("transaction_id") if isinstance(body, dict) else None
    return {reference} if isinstance(reference, str) else ()


def _nothing(request: Request, body: Any) -> Collection[str]:
    return ()
