"""Conekta's orders: what may happen to one, and the events that tell of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from twins.conekta import requests, shapes
from twins.conekta.errors import invalid, not_found, precondition
from twins.provider.book import Json, Standing, Tally, View
from twins.store import Store

ORDER = "conekta.order"

_MIN_CHECKOUT_SECONDS = 300
_MAX_CHECKOUT_SECONDS = 365 * 86_400
# A second is lost between a caller's clock and ours.
_TOLERANCE = 2
_DEFAULT_SECONDS = 3 * 86_400

_CHARGED = ("paid", "partially_refunded", "refunded")
_STANDING = {
    None: Standing.PENDING,
    "pending_payment": Standing.PENDING,
    "paid": Standing.PAID,
    "declined": Standing.DECLINED,
    "expired": Standing.EXPIRED,
    "canceled": Standing.CANCELED,
    "refunded": Standing.REFUNDED,
    "partially_refunded": Standing.PARTIALLY_REFUNDED,
}

Arguments = ParamSpec("Arguments")
Emit = Callable[[str, Json], None]


@dataclass(frozen=True, slots=True)
class Search:
    """text: our reference or whatever else the order is known by. created_*: epoch seconds, included."""

    text: str | None = None
    payment_status: str | None = None
    created_from: int | None = None
    created_to: int | None = None

    def fits(self, order: Json) -> bool:
        return (
            self.payment_status in (None, order["payment_status"])
            and (self.created_from is None or order["created_at"] >= self.created_from)
            and (self.created_to is None or order["created_at"] <= self.created_to)
        )


def _together(change: Callable[Concatenate[Ledger, Arguments], Json]) -> Callable[Concatenate[Ledger, Arguments], Json]:
    @wraps(change)
    def in_one_transaction(ledger: Ledger, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Json:
        with ledger.store.transaction():
            return change(ledger, *args, **kwargs)

    return in_one_transaction


class Ledger:
    """A change and its events are kept together or not at all. Errors are Conekta's own (ApiError)."""

    def __init__(
        self,
        store: Store,
        emit: Emit,
        base_url: str,
        *,
        spei_refunds: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self._emit = emit
        self._base_url = base_url
        self._spei_refunds = spei_refunds
        self._now = now

    @_together
    def create(self, request: requests.Order) -> Json:
        now = int(self._now())
        self._check(request, now)
        order = shapes.order(request.model_dump(), request.amount, now)
        keys = {str(value) for value in order["metadata"].values()}
        keys |= {value for value in (request.customer_info.email, request.customer_info.name) if value}
        if request.checkout is not None:
            body = request.checkout.model_dump()
            body["expires_at"] = body["expires_at"] or now + _DEFAULT_SECONDS
            checkout = shapes.checkout(body, order["id"], self._base_url, now)
            order["checkout"] = checkout
            order["channel"] |= {
                "segment": "Checkout",
                "checkout_request_id": checkout["id"],
                "checkout_request_type": checkout["type"],
            }
            keys.add(checkout["slug"])
        for charge in request.charges or ():
            expires_at = charge.payment_method.expires_at or now + _DEFAULT_SECONDS
            order["charges"] = shapes.listing(
                [shapes.charge(order, shapes.spei(expires_at), "pending_payment", now, charge.reference_id)]
            )
            order["payment_status"] = "pending_payment"
            if charge.reference_id:
                keys.add(charge.reference_id)
        self._save(order, keys=keys)
        self._emit("order.created", order)
        if order["payment_status"] == "pending_payment":
            self._emit("charge.created", order["charges"]["data"][0])
            self._emit("order.pending_payment", order)
        return order

    def get(self, id: str) -> Json:
        order = self.store.get(ORDER, id)
        if order is None:
            raise not_found()
        return order

    def named(self, key: str) -> Json:
        """The newest order of this id, our reference or any other metadata value."""
        found = self.all_named(key)
        if not found:
            raise not_found()
        return found[0]

    def all_named(self, key: str) -> list[Json]:
        """Newest first."""
        order = self.store.get(ORDER, key)
        return [order] if order is not None else self.store.find(ORDER, key, limit=10_000)

    def newest(self, limit: int) -> list[Json]:
        return self.store.newest(ORDER, limit)

    def search(self, wanted: Search, limit: int, after: str | None) -> tuple[list[Json], bool]:
        """A page, newest first, and whether there is more."""
        if wanted == Search():
            orders = self.store.newest(ORDER, limit + 1, after)
        else:
            everything = self.store.newest(ORDER, 100_000) if wanted.text is None else self.all_named(wanted.text)
            orders = [order for order in everything if wanted.fits(order)]
            ids = [order["id"] for order in orders]
            orders = orders[ids.index(after) + 1 :] if after in ids else orders
        return orders[:limit], len(orders) > limit

    @_together
    def pay(self, id: str, *, amount: int | None = None, force: bool = False) -> Json:
        """The buyer pays. force: also when the order is no longer payable, as a transfer that arrives late."""
        order = self._payable(id, force=force)
        now = int(self._now())
        if amount is not None:
            order["amount"] = amount
        charge = self._charge(order, now)
        charge |= {"status": "paid", "paid_at": now, "amount": order["amount"], "failure_code": None}
        if order["checkout"] is not None:
            order["checkout"]["paid_payments_count"] += 1
        order |= {"payment_status": "paid", "is_refundable": self._refundable(charge), "updated_at": now}
        self._save(order)
        self._emit("charge.paid", charge)
        self._emit("order.paid", order)
        return order

    @_together
    def decline(self, id: str, code: str = "card_declined") -> Json:
        order = self._payable(id)
        now = int(self._now())
        charge = self._charge(order, now)
        charge |= {
            "status": "declined",
            "failure_code": code,
            "failure_message": "La tarjeta no pudo ser procesada.",
        }
        order |= {"payment_status": "declined", "updated_at": now}
        self._save(order)
        self._emit("charge.declined", charge)
        self._emit("order.declined", order)
        return order

    @_together
    def expire(self, id: str) -> Json:
        order = self._payable(id)
        return self._end(order, "expired", "Expired")

    @_together
    def cancel(self, id: str) -> Json:
        order = self.get(id)
        if order["payment_status"] == "canceled":
            return order
        if order["payment_status"] not in (None, "pending_payment"):
            raise precondition("order.not_cancelable", "La orden ya no puede ser cancelada.")
        return self._end(order, "canceled", "Cancelled")

    @_together
    def refund(self, id: str, request: requests.Refund) -> Json:
        order = self.get(id)
        if order["payment_status"] not in ("paid", "partially_refunded"):
            raise precondition("order.not_paid", "La orden no ha sido pagada.")
        if not order["is_refundable"]:
            raise invalid("order", "not_refundable", "El método de pago no permite devoluciones.")
        left = order["amount"] - order["amount_refunded"]
        if request.amount > left:
            raise invalid("amount", "exceeds_refundable", "El monto excede lo que queda por devolver.")
        now = int(self._now())
        charge = next(c for c in order["charges"]["data"] if c["status"] in ("paid", "partially_refunded"))
        refunds = charge["refunds"] or shapes.listing([])
        refunds["data"].append(shapes.refund(request.amount, now))
        status = "refunded" if request.amount == left else "partially_refunded"
        charge |= {"refunds": refunds, "status": status}
        order["amount_refunded"] += request.amount
        order |= {"payment_status": status, "is_refundable": status != "refunded", "updated_at": now}
        self._save(order)
        self._emit("charge.refunded", charge)
        self._emit(f"order.{status}", order)
        return order

    def settle_refunds(self, id: str, *, approved: bool) -> Json:
        """Conekta's are carried out when they are accepted."""
        return self.get(id)

    def view(self, payment: Json) -> View:
        method = next((c["payment_method"] for c in (payment["charges"] or {"data": []})["data"]), None)
        checkout = payment["checkout"]
        return View(
            id=payment["id"],
            title=payment["line_items"]["data"][0]["name"],
            amount=f"$ {payment['amount'] // 100}.{payment['amount'] % 100:02d} {payment['currency']}",
            standing=_STANDING.get(payment["payment_status"], Standing.OTHER),
            status=str(payment["payment_status"]),
            how=f"CLABE {method['clabe']} · {method['bank']}" if method and "clabe" in method else "",
            return_url=checkout["success_url"] if checkout and payment["payment_status"] == "paid" else None,
        )

    def tally(self, payments: list[Json]) -> Tally:
        charged = [order["amount"] for order in payments if order["payment_status"] in _CHARGED]
        refunds = [
            refund["amount"]
            for order in payments
            for charge in (order["charges"]["data"] if order["charges"] else ())
            for refund in (charge["refunds"]["data"] if charge["refunds"] else ())
        ]
        return Tally(len(payments), len(charged), sum(charged), len(refunds), -sum(refunds))

    def expire_due(self) -> int:
        due = self.store.due(ORDER, self._now())
        for id in due:
            self.expire(id)
        return len(due)

    def _check(self, request: requests.Order, now: int) -> None:
        if request.amount <= 0:
            raise invalid("line_items", "amount", "El monto de la orden debe ser mayor a cero.")
        if request.charges and request.checkout:
            raise invalid("checkout", "with_charges", "Una orden lleva cargos o un checkout, no ambos.")
        customer = request.customer_info
        if not customer.customer_id and not (customer.name and customer.email and customer.phone):
            raise invalid("customer_info", "missing", "Faltan name, email o phone.")
        if request.checkout and request.checkout.expires_at is not None:
            lifetime = request.checkout.expires_at - now
            if not _MIN_CHECKOUT_SECONDS - _TOLERANCE <= lifetime <= _MAX_CHECKOUT_SECONDS + _TOLERANCE:
                raise invalid("checkout.expires_at", "range", "La expiración va de 5 minutos a 365 días.")
        for charge in request.charges or ():
            if charge.amount is not None and charge.amount != request.amount:
                raise invalid("charges.0.amount", "mismatch", "El cargo no cubre el monto de la orden.")
            if charge.payment_method.expires_at is not None and charge.payment_method.expires_at <= now:
                raise invalid("charges.0.payment_method.expires_at", "past", "La expiración ya pasó.")

    def _payable(self, id: str, *, force: bool = False) -> Json:
        order = self.get(id)
        allowed = (None, "pending_payment", "declined", "expired", "canceled") if force else (None, "pending_payment")
        if order["payment_status"] not in allowed:
            raise precondition("order.not_payable", "La orden ya no puede ser pagada.")
        return order

    def _charge(self, order: Json, now: int) -> Json:
        """The charge that is waiting, or a new card charge for a hosted page."""
        if order["checkout"] is None and order["charges"]:
            waiting: Json = order["charges"]["data"][0]
            return waiting
        charges = order["charges"] or shapes.listing([])
        charge = shapes.charge(order, shapes.card(), "pending_payment", now)
        charges["data"].append(charge)
        order["charges"] = charges
        return charge

    def _refundable(self, charge: Json) -> bool:
        return charge["payment_method"]["type"] != "spei" or self._spei_refunds

    def _end(self, order: Json, status: str, checkout_status: str) -> Json:
        order |= {"payment_status": status, "updated_at": int(self._now())}
        if order["checkout"] is not None:
            order["checkout"]["status"] = checkout_status
        charges = order["charges"]["data"] if order["charges"] else []
        for charge in charges:
            charge["status"] = status
        self._save(order)
        for charge in charges:
            self._emit(f"charge.{status}", charge)
        self._emit(f"order.{status}", order)
        return order

    def _save(self, order: Json, keys: Iterable[str] = ()) -> None:
        is_open = order["payment_status"] in (None, "pending_payment")
        self.store.put(ORDER, order["id"], order, due=_expires_at(order) if is_open else None, keys=keys)


def reference_keys(order: Json) -> set[str]:
    """What a fault or a journal line may call this order by."""
    keys = {order["id"], *(str(value) for value in order["metadata"].values())}
    for charge in order["charges"]["data"] if order["charges"] else ():
        if charge["reference_id"]:
            keys.add(charge["reference_id"])
    return keys


def _expires_at(order: Json) -> float | None:
    if order["checkout"] is not None:
        return float(order["checkout"]["expires_at"])
    for charge in order["charges"]["data"] if order["charges"] else ():
        return float(charge["payment_method"]["expires_at"])
    return None
