"""What a test or a person does to a provider's twin from behind: pay, decline, expire, break, look."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from twins.faults import Fault, FaultPlan
from twins.provider.book import Book, Json, Refusal
from twins.provider.deliveries import Deliveries
from twins.store import Store


class Payment(BaseModel):
    """amount: minor units, when another amount than the payment's arrives. force: although it is no longer payable."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(gt=0)] | None = None
    force: bool = False


class Settlement(BaseModel):
    """approved: the refunds under way are carried out, or else turned down."""

    model_config = ConfigDict(extra="forbid")

    approved: bool = True


def control_router(name: str, store: Store, book: Book, deliveries: Deliveries[Any], faults: FaultPlan) -> APIRouter:
    router = APIRouter(prefix=f"/_control/{name}", tags=[name])

    @router.get("/payments/{key}", response_model=None)
    async def show(key: str) -> Response:
        """key, everywhere: the provider's id or our reference."""
        found = book.all_named(key)
        return JSONResponse({"data": found}, 200 if found else 404)

    @router.post("/payments/{key}/refunds", response_model=None)
    async def settle(key: str, settlement: Settlement | None = None) -> Any:
        try:
            return book.settle_refunds(_id(book, key), approved=(settlement or Settlement()).approved)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)

    @router.post("/payments/{key}/{action}", response_model=None)
    async def act(key: str, action: Literal["pay", "decline", "expire"], payment: Payment | None = None) -> Any:
        wanted = payment or Payment()
        try:
            id = _id(book, key)
            match action:
                case "pay":
                    return book.pay(id, amount=wanted.amount, force=wanted.force)
                case "decline":
                    return book.decline(id)
                case "expire":
                    return book.expire(id)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)

    @router.get("/journal")
    async def journal(reference: str | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> Json:
        """Every call, newest first, and what the payments add up to; of one reference, or of all."""
        kind = f"{name}.call"
        calls = store.newest(kind, limit) if reference is None else store.find(kind, reference, limit)
        payments = book.newest(100_000) if reference is None else book.all_named(reference)
        return {**asdict(book.tally(payments)), "calls": calls}

    @router.get("/deliveries")
    async def list_deliveries(
        reference: str | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
    ) -> Json:
        """Every webhook that was sent or is to be, newest first."""
        if reference is None:
            return {"data": deliveries.newest(limit)}
        ids = [book.view(payment).id for payment in book.all_named(reference)]
        return {"data": [entry for id in ids for entry in deliveries.of_payment(id, limit)]}

    @router.post("/events/{event_id}/resend", status_code=204)
    async def resend(event_id: str) -> Response:
        return Response(status_code=204 if deliveries.send_again(event_id) else 404)

    faults_routes(router, faults)
    return router


def faults_routes(router: APIRouter, faults: FaultPlan) -> None:
    @router.post("/faults", status_code=201)
    async def arm(fault: Fault) -> Json:
        return {"id": faults.arm(fault)}

    @router.get("/faults")
    async def armed() -> Json:
        return {"data": faults.list()}

    @router.delete("/faults", status_code=204)
    async def disarm() -> None:
        faults.clear()


def _id(book: Book, key: str) -> str:
    return book.view(book.named(key)).id
