"""The Orders API, as far as an integrator of QR codes and Checkout Pro meets it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request

from twins.mercadopago import errors, requests, shapes
from twins.mercadopago.calls import MercadoPagoCalls
from twins.mercadopago.ledger import Ledger
from twins.provider.book import Json

_MONTH = timedelta(days=31)
_MAX_PAGE = 100


class Api:
    def __init__(self, calls: MercadoPagoCalls, ledger: Ledger) -> None:
        self._calls = calls
        self._ledger = ledger

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/mercadopago", include_in_schema=False)
        once, of_order = self._calls.once, self._calls.of_order
        for method, path, operation, handler, references, status in (
            ("POST", "", "orders.create", once(self.create), _of_creation, 201),
            ("GET", "", _of_list, self.search, _of_search, 200),
            ("GET", "/{id}", "orders.get", self.get, of_order, 200),
            ("POST", "/{id}/cancel", "orders.cancel", once(self.cancel), of_order, 200),
            ("POST", "/{id}/refund", "orders.refund", once(self.refund), of_order, 201),
        ):
            endpoint = self._calls.endpoint(operation, handler, references, status)
            router.add_route(f"{router.prefix}/v1/orders{path}", endpoint, [method])
        return router

    def create(self, request: Request, body: Any) -> Json:
        return shapes.shown(self._ledger.create(requests.read(requests.Order, body)))

    def get(self, request: Request, body: Any) -> Json:
        return shapes.shown(self._ledger.get(request.path_params["id"]))

    def search(self, request: Request, body: Any) -> Json:
        """begin_date and end_date are compulsory, and a month apart at most."""
        query = request.query_params
        first, last = _instant(query.get("begin_date"), "begin_date"), _instant(query.get("end_date"), "end_date")
        if not timedelta() <= last - first <= _MONTH:
            raise errors.invalid("$.end_date", "maximum allowed is 1 month")
        limit = _number(query.get("limit") or query.get("page_size"), 50, _MAX_PAGE, "limit")
        offset = _number(query.get("offset"), 0, 100_000, "offset")
        reference = query.get("external_reference")
        orders = self._ledger.newest(100_000) if reference is None else self._ledger.all_named(reference)
        found = [
            order
            for order in orders
            if first <= datetime.fromisoformat(order["created_date"]) <= last
            and reference in (None, order["external_reference"])
        ]
        return {
            "data": [shapes.shown(order) for order in found[offset : offset + limit]],
            "paging": {"total": str(len(found)), "limit": str(limit), "offset": str(offset)},
        }

    def cancel(self, request: Request, body: Any) -> Json:
        order = shapes.shown(self._ledger.cancel(request.path_params["id"]))
        return {key: order[key] for key in ("id", "status", "status_detail", "external_reference")}

    def refund(self, request: Request, body: Any) -> Json:
        """Answers the new refund alone."""
        wanted = requests.read(requests.RefundTransactions, body) if body else None
        order = shapes.shown(self._ledger.refund(request.path_params["id"], wanted))
        return {
            "id": order["id"],
            "status": order["status"],
            "status_detail": order["status_detail"],
            "transactions": {"refunds": order["transactions"]["refunds"][-1:]},
        }


def _of_creation(request: Request, body: Any) -> Collection[str]:
    reference = body.get("external_reference") if isinstance(body, dict) else None
    return {reference} if isinstance(reference, str) else ()


def _of_list(request: Request, body: Any) -> str:
    return "orders.search" if request.query_params.get("external_reference") else "orders.list"


def _of_search(request: Request, body: Any) -> Collection[str]:
    reference = request.query_params.get("external_reference")
    return {reference} if reference else ()


def _instant(value: str | None, name: str) -> datetime:
    if value is None:
        raise errors.required(f"$.{name}")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise errors.invalid(f"$.{name}", "must be a date and time of ISO 8601") from None
    if found.tzinfo is None:
        raise errors.invalid(f"$.{name}", "must have an offset")
    return found


def _number(value: str | None, default: int, most: int, name: str) -> int:
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or int(value[:9]) > most:
        raise errors.invalid(f"$.{name}", f"must be a number up to {most}")
    return int(value)
