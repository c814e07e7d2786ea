"""Khipu's payments: what may happen to one, and the notification that tells of the only thing Khipu tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import wraps
from typing import Concatenate, ParamSpec

from twins.faults import FaultKind, FaultPlan
from twins.khipu import requests, shapes
from twins.khipu.errors import forbidden, invalid, not_found, not_possible
from twins.khipu.settings import KhipuTwinSettings
from twins.provider.book import Json, Standing, Tally, View
from twins.store import Store

PAYMENT = "khipu.payment"

# Each attempt has three hours, and may have begun in the last second before the expiry.
_ATTEMPT_SECONDS = 3 * 3600
_DEFAULT_SECONDS = 7 * 86_400

_UNDER_WAY = ("pending", "authorized")
_STANDING = {
    "normal": Standing.PAID,
    "marked-paid-by-receiver": Standing.PAID,
    "rejected-by-payer": Standing.DECLINED,
    "marked-as-abuse": Standing.DECLINED,
    "partially-refunded": Standing.PARTIALLY_REFUNDED,
    "fully-refunded": Standing.REFUNDED,
    "reversed": Standing.REFUNDED,
}
_CHARGED = (Standing.PAID, Standing.PARTIALLY_REFUNDED, Standing.REFUNDED)

Arguments = ParamSpec("Arguments")
Emit = Callable[[Json], None]


def _together(change: Callable[Concatenate[Ledger, Arguments], Json]) -> Callable[Concatenate[Ledger, Arguments], Json]:
    @wraps(change)
    def in_one_transaction(ledger: Ledger, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Json:
        with ledger.store.transaction():
            return change(ledger, *args, **kwargs)

    return in_one_transaction


class Ledger:
    """A change and its notification are kept together or not at all. Errors are Khipu's own (ApiError)."""

    def __init__(
        self,
        store: Store,
        emit: Emit,
        faults: FaultPlan,
        settings: KhipuTwinSettings,
        base_url: str,
        time_scale: float,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """time_scale: what the two delays of the settings are divided by."""
        self.store = store
        self._emit = emit
        self._faults = faults
        self._settings = settings
        self._base_url = base_url
        self._conciliation_seconds = settings.conciliation_seconds / time_scale
        self._refund_seconds = settings.refund_seconds / time_scale
        self._now = now

    @_together
    def create(self, request: requests.Payment, receiver_id: int) -> Json:
        now = self._now()
        expires_at = request.expires_date.timestamp() if request.expires_date else now + _DEFAULT_SECONDS
        if expires_at <= now:
            raise invalid("expires_date", "debe ser posterior a la fecha actual")
        payment = shapes.payment(request, self._base_url, receiver_id, expires_at)
        return self._save(payment, keys=[request.transaction_id] if request.transaction_id else ())

    def get(self, id: str) -> Json:
        payment = self.store.get(PAYMENT, id)
        if payment is None:
            raise not_found()
        return payment

    def read(self, id: str) -> Json:
        """As a caller of the API may."""
        payment = self.get(id)
        if payment["status"] == "deleted" and self._settings.deleted == "absent":
            raise not_found()
        return payment

    def named(self, key: str) -> Json:
        found = self.all_named(key)
        if not found:
            raise not_found()
        return found[0]

    def all_named(self, key: str) -> list[Json]:
        payment = self.store.get(PAYMENT, key)
        return [payment] if payment is not None else self.store.find(PAYMENT, key, limit=10_000)

    def newest(self, limit: int) -> list[Json]:
        return self.store.newest(PAYMENT, limit)

    @_together
    def pay(self, id: str, *, amount: int | None = None, force: bool = False) -> Json:
        """The buyer pays; what is being verified already is conciliated at once."""
        payment = self.get(id)
        if payment["status"] == "verifying":
            return self._conciliate(payment)
        self._check_payable(payment, force=force)
        if amount is not None:
            payment["amount"] = shapes.decimals(Decimal(amount).scaleb(-requests.DECIMALS[payment["currency"]]))
        if force or not self._conciliation_seconds:
            return self._conciliate(payment)
        payment |= {"status": "verifying", "_conciliated_at": self._now() + self._conciliation_seconds}
        return self._save(payment)

    @_together
    def decline(self, id: str) -> Json:
        """The buyer declares not to pay, which is for good."""
        payment = self.get(id)
        self._check_payable(payment)
        return self._save(payment | {"status": "done", "status_detail": "rejected-by-payer"})

    @_together
    def expire(self, id: str) -> Json:
        """As if its time had come, and that of an attempt begun before; Khipu itself says nothing of it."""
        payment = self.get(id)
        self._check_payable(payment)
        return self._save(payment | {"expires_date": shapes.moment(self._now() - _ATTEMPT_SECONDS - 1)})

    @_together
    def delete(self, id: str) -> Json:
        payment = self.read(id)
        if payment["status"] != "pending":
            raise not_possible("Solo se pueden borrar pagos que estén pendientes de pagar")
        return self._save(payment | {"status": "deleted"})

    @_together
    def refund(self, id: str, amount: Decimal | None) -> Json:
        """amount: None for all that is left. The new refund is the last of those in the answer."""
        payment = self.read(id)
        if not self._settings.refunds:
            raise forbidden()
        if payment["status"] != "done" or _STANDING.get(payment["status_detail"]) not in _CHARGED:
            raise not_possible("El pago no está conciliado")
        left = Decimal(payment["amount"]) - shapes.taken(payment)
        wanted = left if amount is None else amount
        if not requests.fits(wanted, payment["currency"]):
            raise invalid("amount", f"{payment['currency']} tiene menos decimales")
        if not 0 < wanted <= left:
            raise invalid("amount", "excede el saldo por devolver")
        now = self._now()
        refund = shapes.refund(wanted, payment["currency"], now)
        payment["refunds"].append(refund)
        payment.setdefault("_refund_times", {})[refund["id"]] = now
        return self._with_refunds(payment)

    @_together
    def settle_refunds(self, id: str, *, approved: bool) -> Json:
        payment = self.get(id)
        for refund in payment["refunds"]:
            if refund["status"] in _UNDER_WAY:
                self._settle(payment, refund, approved=approved)
        return self._with_refunds(payment)

    def expire_due(self) -> int:
        """Nothing happens at an expiry; what is due is a conciliation, or the next step of a refund."""
        due = self.store.due(PAYMENT, self._now())
        for id in due:
            self._advance(id)
        return len(due)

    def view(self, payment: Json) -> View:
        amount = Decimal(payment["amount"])
        text = f"{amount:,.{requests.DECIMALS[payment['currency']]}f}".translate(str.maketrans(",.", ".,"))
        return View(
            id=payment["payment_id"],
            title=payment["subject"],
            amount=f"$ {text} {payment['currency']}",
            standing=self._standing(payment),
            status=payment["status"],
            how=payment["bank"],
            return_url=payment["return_url"] or None,
        )

    def tally(self, payments: list[Json]) -> Tally:
        charged = [_minor(entry, entry["amount"]) for entry in payments if self._standing(entry) in _CHARGED]
        refunds = [
            _minor(payment, refund["amount"])
            for payment in payments
            for refund in payment["refunds"]
            if refund["status"] != "expired"
        ]
        return Tally(len(payments), len(charged), sum(charged), len(refunds), sum(refunds))

    def _standing(self, payment: Json) -> Standing:
        match payment["status"]:
            case "pending":
                return Standing.EXPIRED if self._now() >= _epoch(payment["expires_date"]) else Standing.PENDING
            case "deleted":
                return Standing.CANCELED
            case "done":
                return _STANDING.get(payment["status_detail"], Standing.OTHER)
        return Standing.OTHER

    def _check_payable(self, payment: Json, *, force: bool = False) -> None:
        standing = self._standing(payment)
        ended = (Standing.DECLINED, Standing.EXPIRED, Standing.CANCELED)
        if standing is not Standing.PENDING and not (force and standing in ended):
            raise not_possible("El cobro ya no se puede pagar")

    def _conciliate(self, payment: Json) -> Json:
        now = self._now()
        payment |= {
            "status": "done",
            "status_detail": "normal",
            "conciliation_date": shapes.moment(now),
            "out_of_date_conciliation": now >= _epoch(payment["expires_date"]),
            "receipt_url": payment["payment_url"],
            "payer_name": payment["payer_name"] or "Comprador de prueba",
            "personal_identifier": payment["personal_identifier"] or "44.444.444-4",
            "payment_method": "simplified_transfer",
            "funds_source": "",
            **shapes.BANK,
        }
        payment.pop("_conciliated_at", None)
        self._save(payment)
        self._emit(payment)
        return payment

    @_together
    def _advance(self, id: str) -> Json:
        payment = self.get(id)
        now = self._now()
        if payment["status"] == "verifying":
            return self._conciliate(payment)
        for refund in payment["refunds"]:
            age = now - payment["_refund_times"][refund["id"]]
            if refund["status"] in _UNDER_WAY and age >= self._refund_seconds:
                self._settle(payment, refund, approved=True)
            elif refund["status"] == "pending" and age >= self._refund_seconds / 2:
                refund["status"] = "authorized"
        return self._with_refunds(payment)

    def _settle(self, payment: Json, refund: Json, *, approved: bool) -> None:
        declined = self._faults.take({FaultKind.REFUND_DECLINED}, "refunds.settle", reference_keys(payment))
        refund["status"] = "paid" if approved and declined is None else "expired"

    def _with_refunds(self, payment: Json) -> Json:
        taken = shapes.taken(payment)
        if payment["refunds"]:
            whole = taken == Decimal(payment["amount"])
            detail = "fully-refunded" if whole else "partially-refunded" if taken else "normal"
            payment["status_detail"] = detail
        return self._save(payment)

    def _save(self, payment: Json, keys: Iterable[str] = ()) -> Json:
        self.store.put(PAYMENT, payment["payment_id"], payment, due=self._next_step(payment), keys=keys)
        return payment

    def _next_step(self, payment: Json) -> float | None:
        if payment["status"] == "verifying":
            return float(payment["_conciliated_at"])
        whole, half = self._refund_seconds, self._refund_seconds / 2
        return min(
            (
                payment["_refund_times"][refund["id"]] + (half if refund["status"] == "pending" else whole)
                for refund in payment["refunds"]
                if refund["status"] in _UNDER_WAY
            ),
            default=None,
        )


def reference_keys(payment: Json) -> set[str]:
    """What a fault or a journal line may call this payment by."""
    return {payment["payment_id"], payment["transaction_id"]} - {""}


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _minor(payment: Json, amount: str) -> int:
    return int(Decimal(amount).scaleb(requests.DECIMALS[payment["currency"]]))
