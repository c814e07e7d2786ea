"""What a test or a person does to the Conekta twin from behind: pay, decline, expire, break, look."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from twins.conekta import events as deliveries
from twins.conekta.calls import CALL
from twins.conekta.errors import ApiError
from twins.conekta.events import Events
from twins.conekta.ledger import ORDER, Ledger
from twins.conekta.shapes import Json
from twins.conekta.signing import Keys
from twins.faults import Fault, FaultPlan
from twins.store import Store

_CHARGED = ("paid", "partially_refunded", "refunded")


class Payment(BaseModel):
    """amount: centavos, when another amount than the order's arrives. force: although it is no longer payable."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(gt=0)] | None = None
    force: bool = False


def control_router(store: Store, ledger: Ledger, events: Events, keys: Keys, faults: FaultPlan) -> APIRouter:
    router = APIRouter(prefix="/_control/conekta", tags=["conekta"])

    @router.post("/orders/{key}/{action}", response_model=None)
    async def act(key: str, action: Literal["pay", "decline", "expire"], payment: Payment | None = None) -> Any:
        """key: Conekta's order id or our reference."""
        wanted = payment or Payment()
        try:
            id = ledger.named(key)["id"]
            match action:
                case "pay":
                    return ledger.pay(id, amount=wanted.amount, force=wanted.force)
                case "decline":
                    return ledger.decline(id)
                case "expire":
                    return ledger.expire(id)
        except ApiError as error:
            return JSONResponse(error.body(), error.status)

    @router.get("/orders/{key}", response_model=None)
    async def show(key: str) -> Any:
        found = ledger.all_named(key)
        return JSONResponse({"data": found}, 200 if found else 404)

    @router.post("/faults", status_code=201)
    async def arm(fault: Fault) -> Json:
        return {"id": faults.arm(fault)}

    @router.get("/faults")
    async def armed() -> Json:
        return {"data": faults.list()}

    @router.delete("/faults", status_code=204)
    async def disarm() -> None:
        faults.clear()

    @router.get("/journal")
    async def journal(reference: str | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> Json:
        """Every call, newest first, and what the orders add up to; of one reference, or of all."""
        calls = store.newest(CALL, limit) if reference is None else store.find(CALL, reference, limit)
        orders = store.newest(ORDER, 100_000) if reference is None else ledger.all_named(reference)
        refunds = [
            refund
            for order in orders
            for charge in (order["charges"]["data"] if order["charges"] else ())
            for refund in (charge["refunds"]["data"] if charge["refunds"] else ())
        ]
        return {
            "orders": len(orders),
            "charges": sum(order["payment_status"] in _CHARGED for order in orders),
            "charged_amount": sum(order["amount"] for order in orders if order["payment_status"] in _CHARGED),
            "refunds": len(refunds),
            "refunded_amount": -sum(refund["amount"] for refund in refunds),
            "calls": calls,
        }

    @router.get("/deliveries")
    async def list_deliveries(
        reference: str | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
    ) -> Json:
        """Every webhook that was sent or is to be, newest first."""
        if reference is None:
            return {"data": store.newest(deliveries.DELIVERY, limit)}
        orders = ledger.all_named(reference)
        return {"data": [entry for order in orders for entry in store.find(deliveries.DELIVERY, order["id"], limit)]}

    @router.get("/public-key", response_class=PlainTextResponse)
    async def public_key() -> str:
        return keys.public_key_pem

    return router
