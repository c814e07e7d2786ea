"""PayU's orders and their transactions: what may happen to them, and the confirmation of each attempt that ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from twins.faults import FaultKind, FaultPlan
from twins.payu import requests, shapes
from twins.payu.errors import invalid, not_found, not_possible, under_way
from twins.payu.settings import PayuTwinSettings
from twins.payu.signing import digest, shown_value
from twins.provider.book import Json, Standing, Tally, View
from twins.store import Store

ORDER = "payu.order"

MIN_REFUND = 10_000
_CHARGE = "AUTHORIZATION_AND_CAPTURE"
_REFUNDS = ("REFUND", "PARTIAL_REFUND")
_STANDING = {"DECLINED": Standing.DECLINED, "ERROR": Standing.DECLINED, "EXPIRED": Standing.EXPIRED}

Arguments = ParamSpec("Arguments")
Emit = Callable[[Json, Json], None]


def _together(change: Callable[Concatenate[Ledger, Arguments], Json]) -> Callable[Concatenate[Ledger, Arguments], Json]:
    @wraps(change)
    def in_one_transaction(ledger: Ledger, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Json:
        with ledger.store.transaction():
            return change(ledger, *args, **kwargs)

    return in_one_transaction


class Ledger:
    """A change and its confirmation are kept together or not at all. Errors are PayU's own (ApiError)."""

    def __init__(
        self,
        store: Store,
        emit: Emit,
        faults: FaultPlan,
        settings: PayuTwinSettings,
        base_url: str,
        time_scale: float,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """emit: takes the order and the transaction that ended. time_scale: what the refunds' delays are divided by."""
        self.store = store
        self._emit = emit
        self._faults = faults
        self._settings = settings
        self._base_url = base_url
        self._refund_seconds = settings.refund_seconds / time_scale
        self._min_refund_age = settings.min_refund_age_seconds / time_scale
        self._now = now

    @_together
    def open_checkout(self, form: requests.Checkout) -> Json:
        """The buyer arrives with a form. Coming back with the same one is the same order."""
        for order in self.all_named(form.referenceCode):
            if order["kind"] == "checkout" and order["amount"] == shapes.centavos(form.amount):
                return order
        return self._save(shapes.checkout(form, self._settings.webhook_url))

    @_together
    def submit(self, payment: requests.PsePayment) -> Json:
        order = shapes.transfer(payment, self._settings.webhook_url)
        if self._settings.unique_references and self.all_named(order["reference"]):
            raise invalid("order.referenceCode", "ya existe")
        now = self._now()
        bank_url = f"{self._base_url}/payu/payments-api/pse-caller?enc={order['id']}"
        entry = shapes.transaction(_CHARGE, "PSE", order["amount"], "PENDING", now, bank_url=bank_url)
        order |= {"transactions": [entry], "expires_at": now + self._settings.pse_seconds}
        return self._save(order)

    def get(self, id: str) -> Json:
        order = self.store.get(ORDER, id)
        if order is None:
            raise not_found()
        return order

    def visible(self, key: str) -> list[Json]:
        """Those that a query finds: an order exists once somebody has tried to pay it."""
        return [order for order in self.all_named(key) if order["transactions"]]

    def named(self, key: str) -> Json:
        found = self.all_named(key)
        if not found:
            raise not_found()
        return found[0]

    def all_named(self, key: str) -> list[Json]:
        order = self.store.get(ORDER, key)
        return [order] if order is not None else self.store.find(ORDER, key, limit=10_000)

    def newest(self, limit: int) -> list[Json]:
        return self.store.newest(ORDER, limit)

    @_together
    def pay(self, id: str, *, amount: int | None = None, force: bool = False) -> Json:
        """force: also a further attempt after one that failed, which is another transaction of the same order."""
        return self._end(id, "APPROVED", amount=amount, force=force)

    @_together
    def decline(self, id: str) -> Json:
        return self._end(id, "DECLINED")

    @_together
    def expire(self, id: str) -> Json:
        return self._end(id, "EXPIRED")

    @_together
    def refund(self, request: requests.Refund) -> Json:
        """Take the application. The order that comes back says under `refund` what is under review; nothing where PayU
        declines at once.
        """
        order = self.get(request.order.id)
        paid = _paid(order)
        if paid is None or paid["id"] != request.parentTransactionId:
            raise not_possible("La transacción no se puede reembolsar")
        if order["refund"] is not None:
            raise under_way()
        left = paid["amount"] - _refunded(order)
        values = request.additionalValues
        if (request.type == "PARTIAL_REFUND") != (values is not None):
            raise invalid("additionalValues", "solo se indica en un reembolso parcial")
        amount = shapes.centavos(values.tx_value.value) if values else left
        if not MIN_REFUND <= amount <= left:
            raise invalid("additionalValues.TX_VALUE", "el valor no es válido")
        now = self._now()
        if now < paid["at"] + self._min_refund_age:
            raise not_possible("La transacción es demasiado reciente")
        if paid["method"] != "VISA":
            return order
        order["refund"] = {"type": request.type, "amount": amount, "at": now, "parent": paid["id"]}
        return self._save(order)

    @_together
    def settle_refunds(self, id: str, *, approved: bool) -> Json:
        order = self.get(id)
        return self._settle(order, approved=approved) if order["refund"] is not None else order

    def expire_due(self) -> int:
        due = self.store.due(ORDER, self._now())
        for id in due:
            self._advance(id)
        return len(due)

    def view(self, order: Json) -> View:
        text = f"{shapes.pesos(order['amount']):,.2f}".translate(str.maketrans(",.", ".,"))
        return View(
            id=str(order["id"]),
            title=order["description"],
            amount=f"$ {text} COP",
            standing=self.standing(order),
            status=order["status"],
            how="PSE" if order["kind"] == "pse" else "",
            return_url=self._return_url(order),
        )

    def tally(self, payments: list[Json]) -> Tally:
        charges = [
            entry["amount"]
            for order in payments
            for entry in order["transactions"]
            if entry["type"] == _CHARGE and entry["state"] == "APPROVED"
        ]
        refunds = [
            entry["amount"]
            for order in payments
            for entry in [*order["transactions"], *([order["refund"]] if order["refund"] else [])]
            if entry["type"] in _REFUNDS and entry.get("state") != "DECLINED"
        ]
        return Tally(len(payments), len(charges), sum(charges), len(refunds), sum(refunds))

    def standing(self, order: Json) -> Standing:
        paid = _paid(order)
        if paid is not None:
            back = _refunded(order)
            if not back:
                return Standing.PAID
            return Standing.REFUNDED if back >= paid["amount"] else Standing.PARTIALLY_REFUNDED
        ended = next((entry["state"] for entry in order["transactions"] if entry["state"] in _STANDING), None)
        if ended is not None:
            return _STANDING[ended]
        over = order["expires_at"] is not None and self._now() >= order["expires_at"]
        return Standing.EXPIRED if over else Standing.PENDING

    def _end(self, id: str, state: str, *, amount: int | None = None, force: bool = False) -> Json:
        order = self.get(id)
        standing = self.standing(order)
        again = force and standing in (Standing.DECLINED, Standing.EXPIRED)
        due = standing is Standing.EXPIRED and state == "EXPIRED" and _pending(order) is not None
        if standing is not Standing.PENDING and not again and not due:
            raise not_possible("La orden ya no se puede pagar")
        entry = _pending(order)
        if entry is None:
            method = "PSE" if order["kind"] == "pse" else "VISA"
            entry = shapes.transaction(_CHARGE, method, order["amount"], state, self._now())
            order["transactions"].insert(0, entry)
        entry |= {"state": state, "at": self._now()}
        if amount is not None:
            entry["amount"] = amount
        order["status"] = "CAPTURED" if state == "APPROVED" else "DECLINED"
        self._save(order)
        self._emit(order, entry)
        return order

    @_together
    def _advance(self, id: str) -> Json:
        order = self.get(id)
        if order["refund"] is not None:
            return self._settle(order, approved=True)
        return self._end(id, "EXPIRED")

    def _settle(self, order: Json, *, approved: bool) -> Json:
        """A refund shows as a transaction from here on, and PayU tells nobody."""
        declined = self._faults.take({FaultKind.REFUND_DECLINED}, "refunds.settle", reference_keys(order))
        asked, order["refund"] = order["refund"], None
        state = "APPROVED" if approved and declined is None else "DECLINED"
        entry = shapes.transaction(asked["type"], "VISA", asked["amount"], state, self._now(), parent=asked["parent"])
        order["transactions"].insert(0, entry)
        paid = _paid(order)
        if state == "APPROVED" and paid is not None:
            whole = _refunded(order) >= paid["amount"]
            order["status"] = "REFUNDED" if whole else self._settings.partial_status
        return self._save(order)

    def _return_url(self, order: Json) -> str | None:
        """Where the buyer's browser goes afterwards, signed by the rule for that page."""
        if not order["return_url"]:
            return None
        state = next((entry["state"] for entry in order["transactions"] if entry["type"] == _CHARGE), "PENDING")
        code = shapes.ENDINGS[state][0] if state in shapes.ENDINGS else "7"
        value: Decimal = shapes.pesos(order["amount"])
        merchant = str(self._settings.merchant_id)
        key = self._settings.api_key.get_secret_value()
        query = {
            "merchantId": merchant,
            "referenceCode": order["reference"],
            "TX_VALUE": f"{value:.2f}",
            "currency": "COP",
            "transactionState": code,
            "signature": digest("md5", key, merchant, order["reference"], shown_value(value), "COP", code),
        }
        separator = "&" if "?" in order["return_url"] else "?"
        return f"{order['return_url']}{separator}{urlencode(query)}"

    def _save(self, order: Json) -> Json:
        keys = [order["reference"], *(entry["id"] for entry in order["transactions"])]
        self.store.put(ORDER, str(order["id"]), order, due=self._next_step(order), keys=keys)
        return order

    def _next_step(self, order: Json) -> float | None:
        if order["refund"] is not None:
            return float(order["refund"]["at"]) + self._refund_seconds
        # Of a checkout nobody tried to pay, PayU knows no end.
        return float(order["expires_at"]) if _pending(order) is not None else None


def reference_keys(order: Json) -> set[str]:
    """What a fault or a journal line may call this order by."""
    return {str(order["id"]), order["reference"]}


def _pending(order: Json) -> Json | None:
    return next((entry for entry in order["transactions"] if entry["state"] == "PENDING"), None)


def _paid(order: Json) -> Json | None:
    found = (entry for entry in order["transactions"] if entry["type"] == _CHARGE and entry["state"] == "APPROVED")
    return next(found, None)


def _refunded(order: Json) -> int:
    entries = order["transactions"]
    return sum(e["amount"] for e in entries if e["type"] in _REFUNDS and e["state"] == "APPROVED")
