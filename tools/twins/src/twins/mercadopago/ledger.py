"""Mercado Pago's orders: what may happen to one, and the notifications that tell of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from twins.faults import FaultKind, FaultPlan
from twins.mercadopago import errors, requests, shapes
from twins.provider.book import Json, Standing, Tally, View
from twins.store import Store

ORDER: Final = "mercadopago.order"

_CHARGED = ("processed", "refunded")
_OVER = ("canceled", "expired", "failed")
_STANDING = {
    "created": Standing.PENDING,
    "processed": Standing.PAID,
    "refunded": Standing.REFUNDED,
    "canceled": Standing.CANCELED,
    "expired": Standing.EXPIRED,
    "failed": Standing.DECLINED,
}

Arguments = ParamSpec("Arguments")
Emit = Callable[[str, Json], None]


@dataclass(frozen=True, slots=True)
class Seller:
    """base_url: of the twins, for the address of the checkout."""

    user_id: str
    external_pos_id: str
    base_url: str


def _together(change: Callable[Concatenate[Ledger, Arguments], Json]) -> Callable[Concatenate[Ledger, Arguments], Json]:
    @wraps(change)
    def in_one_transaction(ledger: Ledger, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Json:
        with ledger.store.transaction():
            return change(ledger, *args, **kwargs)

    return in_one_transaction


class Ledger:
    """A change and its notification are kept together or not at all. Errors are Mercado Pago's own (ApiError)."""

    def __init__(
        self,
        store: Store,
        emit: Emit,
        faults: FaultPlan,
        seller: Seller,
        *,
        refund_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self._emit = emit
        self._faults = faults
        self._seller = seller
        self._refund_seconds = refund_seconds
        self._now = now

    @_together
    def create(self, request: requests.Order) -> Json:
        self._check(request)
        order = shapes.order(request, self._seller.user_id, self._seller.base_url, self._now())
        self.store.put(ORDER, order["id"], order, due=_due(order), keys={order["external_reference"]})
        return order

    def get(self, id: str) -> Json:
        order = self.store.get(ORDER, id)
        if order is None:
            raise errors.not_found()
        return order

    def named(self, key: str) -> Json:
        found = self.all_named(key)
        if not found:
            raise errors.not_found()
        return found[0]

    def all_named(self, key: str) -> list[Json]:
        order = self.store.get(ORDER, key)
        return [order] if order is not None else self.store.find(ORDER, key, limit=10_000)

    def newest(self, limit: int) -> list[Json]:
        return self.store.newest(ORDER, limit)

    @_together
    def pay(self, id: str, *, amount: int | None = None, force: bool = False) -> Json:
        order = self.get(id)
        if order["status"] != "created" and not (force and order["status"] in _OVER):
            raise errors.conflict("operation_not_supported")
        paid = shapes.money(amount) if amount is not None else order["total_amount"]
        transaction = self._transaction(order)
        transaction |= {
            "amount": paid,
            "paid_amount": paid,
            "status": "processed",
            "status_detail": "accredited",
            "payment_method": _method(order),
            "reference": {"id": str(secrets.randbelow(10**11))},
        }
        order["total_paid_amount"] = paid
        return self._move(order, "processed", "accredited", "order.processed")

    @_together
    def decline(self, id: str) -> Json:
        order = self._open(id)
        self._transaction(order).update(status="failed", status_detail="rejected_by_issuer")
        return self._move(order, "failed", "rejected_by_issuer", "order.failed")

    @_together
    def expire(self, id: str) -> Json:
        return self._move(self._open(id), "expired", "expired", "order.expired")

    @_together
    def cancel(self, id: str) -> Json:
        order = self.get(id)
        if order["status"] == "canceled":
            raise errors.conflict("order_already_cancelled")
        if order["status"] != "created":
            raise errors.conflict("cannot_cancel_order")
        return self._move(order, "canceled", "canceled", "order.canceled")

    @_together
    def refund(self, id: str, request: requests.RefundTransactions | None) -> Json:
        """None: the whole of what is left. It is under way until `settle_refunds`, or until its time has come."""
        order = self.get(id)
        if order["status"] == "refunded":
            raise errors.conflict("order_already_refunded")
        if order["status"] != "processed":
            raise errors.conflict("cannot_refund_order")
        transaction = order["transactions"]["payments"][-1]
        left = shapes.cents(transaction["amount"]) - sum(
            shapes.cents(refund["amount"]) for refund in _refunds(order) if refund["status"] != "failed"
        )
        wanted = left
        if request is not None:
            entry = request.transactions[0]
            if entry.id != transaction["id"]:
                raise errors.ApiError(404, "transaction_not_found", "Transaction not found.")
            wanted = entry.amount
            if order["type"] == "qr" and wanted != shapes.cents(transaction["amount"]):
                raise errors.conflict("operation_not_supported")
        if not 0 < wanted <= left:
            raise errors.conflict("cannot_refund_order")
        refund = shapes.refund(transaction["id"], shapes.money(wanted), self._now() + self._refund_seconds)
        order["transactions"].setdefault("refunds", []).append(refund)
        return self._save(order)

    @_together
    def settle_refunds(self, id: str, *, approved: bool) -> Json:
        order = self.get(id)
        under_way = [refund for refund in _refunds(order) if refund["status"] == "processing"]
        for refund in under_way:
            turned_down = self._faults.take({FaultKind.REFUND_DECLINED}, "refunds.settle", reference_keys(order))
            refund["status"] = "processed" if approved and turned_down is None else "failed"
        if not under_way:
            return order
        gone = sum(shapes.cents(refund["amount"]) for refund in _refunds(order) if refund["status"] == "processed")
        if gone and gone == shapes.cents(order["transactions"]["payments"][-1]["amount"]):
            order["transactions"]["payments"][-1] |= {"status": "refunded", "status_detail": "refunded"}
            return self._move(order, "refunded", "refunded", "order.refunded")
        if gone:
            return self._move(order, "processed", "partially_refunded", "order.refunded")
        return self._save(order)

    def expire_due(self) -> int:
        due = self.store.due(ORDER, self._now())
        for id in due:
            if self.get(id)["status"] == "created":
                self.expire(id)
            else:
                self.settle_refunds(id, approved=True)
        return len(due)

    def view(self, payment: Json) -> View:
        partly = payment["status_detail"] == "partially_refunded"
        standing = Standing.PARTIALLY_REFUNDED if partly else _STANDING.get(payment["status"], Standing.OTHER)
        online = payment["config"].get("online", {})
        return View(
            id=payment["id"],
            title=payment["_title"],
            amount=f"$ {payment['total_amount']} {payment['currency']}",
            standing=standing,
            status=payment["status"],
            how="QR" if payment["type"] == "qr" else "",
            return_url=online.get("success_url" if payment["status"] in _CHARGED else "failure_url"),
        )

    def tally(self, payments: list[Json]) -> Tally:
        charged = [shapes.cents(order["total_paid_amount"]) for order in payments if order["status"] in _CHARGED]
        refunds = [
            shapes.cents(refund["amount"])
            for order in payments
            for refund in _refunds(order)
            if refund["status"] != "failed"
        ]
        return Tally(len(payments), len(charged), sum(charged), len(refunds), sum(refunds))

    def _check(self, request: requests.Order) -> None:
        if request.type == "qr":
            if request.config.qr is None:
                raise errors.required("$.config.qr.external_pos_id")
            if request.transactions is None:
                raise errors.required("$.transactions.payments")
            if request.transactions.payments[0].amount != request.total_amount:
                raise errors.invalid_total()
            if request.config.qr.external_pos_id != self._seller.external_pos_id:
                raise errors.pos_not_found()
            return
        if request.processing_mode != "manual":
            raise errors.invalid("$.processing_mode", "only Checkout Pro, which is manual, is imitated")
        if request.items is None:
            raise errors.required("$.items")
        if sum(item.unit_price * item.quantity for item in request.items) != request.total_amount:
            raise errors.invalid_total()

    def _open(self, id: str) -> Json:
        order = self.get(id)
        if order["status"] != "created":
            raise errors.conflict("operation_not_supported")
        return order

    def _transaction(self, order: Json) -> Json:
        """The payment that is waiting, or a new one of a checkout."""
        transactions = order.setdefault("transactions", {"payments": []})
        if not transactions["payments"]:
            transactions["payments"].append(shapes.payment(order["total_amount"], "ready_to_process"))
        waiting: Json = transactions["payments"][-1]
        return waiting

    def _move(self, order: Json, status: str, detail: str, action: str) -> Json:
        order |= {"status": status, "status_detail": detail, "_version": order["_version"] + 1}
        self._save(order)
        self._emit(action, order)
        return order

    def _save(self, order: Json) -> Json:
        order["last_updated_date"] = shapes.instant(self._now())
        self.store.put(ORDER, order["id"], order, due=_due(order))
        return order


def reference_keys(order: Json) -> set[str]:
    """What a fault or a journal line may call this order by."""
    return {order["id"], order["external_reference"]}


def _refunds(order: Json) -> list[Json]:
    found: list[Json] = order.get("transactions", {}).get("refunds", [])
    return found


def _due(order: Json) -> float | None:
    if order["status"] == "created":
        return float(order["_expires_at"])
    return min((refund["_due"] for refund in _refunds(order) if refund["status"] == "processing"), default=None)


def _method(order: Json) -> dict[str, Any]:
    if order["type"] == "qr":
        return {"id": "interop_transfer", "type": "bank_transfer"}
    return {"id": "master", "type": "credit_card", "installments": 1}
