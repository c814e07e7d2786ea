"""Khipu's resources as JSON (API v3, notifications 3.0): the fields of its documentation, filled by us."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from twins.khipu.requests import Payment
from twins.provider.book import Json

_ALPHANUMERIC = string.ascii_lowercase + string.digits

# What only a payment in developer mode meets.
BANK = {"bank": "DemoBank", "bank_id": "Bawdf", "bank_account_number": "000000000000444444444"}

_NOTIFIED = (
    "payment_id",
    "receiver_id",
    "subject",
    "amount",
    "discount",
    "currency",
    "receipt_url",
    "bank",
    "bank_id",
    "payer_name",
    "payer_email",
    "personal_identifier",
    "bank_account_number",
    "out_of_date_conciliation",
    "transaction_id",
    "custom",
    "responsible_user_email",
    "payment_method",
    "conciliation_date",
)


def payment_id() -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(12))


def decimals(amount: Decimal) -> str:
    return f"{amount:.4f}"


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def payment(request: Payment, base_url: str, receiver_id: int, expires_at: float) -> Json:
    """A new payment, as it is kept: `amount` as text with four decimals, `refunds` always there."""
    id = payment_id()
    return {
        "payment_id": id,
        "payment_url": f"{base_url}/khipu/payment/info/{id}",
        "simplified_transfer_url": f"{base_url}/khipu/payment/simplified/{id}",
        "transfer_url": f"{base_url}/khipu/payment/manual/{id}",
        "app_url": f"khipu:///pos/{id}",
        "ready_for_terminal": False,
        "notification_token": secrets.token_hex(32),
        "receiver_id": receiver_id,
        "conciliation_date": None,
        "subject": request.subject,
        "amount": decimals(request.amount),
        "currency": request.currency,
        "status": "pending",
        "status_detail": "pending",
        "body": request.body or "",
        "picture_url": request.picture_url or "",
        "receipt_url": "",
        "return_url": request.return_url or "",
        "cancel_url": request.cancel_url or "",
        "notify_url": request.notify_url or "",
        "notify_api_version": request.notify_api_version or "",
        "expires_date": moment(expires_at),
        "attachment_urls": [],
        "bank": "",
        "bank_id": request.bank_id or "",
        "payer_name": request.payer_name or "",
        "payer_email": request.payer_email or "",
        "personal_identifier": request.fixed_payer_personal_identifier or "",
        "bank_account_number": "",
        "out_of_date_conciliation": False,
        "transaction_id": request.transaction_id or "",
        "custom": request.custom or "",
        "responsible_user_email": request.responsible_user_email or "cobranza@khipu.example",
        "send_reminders": request.send_reminders,
        "send_email": request.send_email,
        "payment_method": "not_available",
        "funds_source": "not-available",
        "discount": 0,
        "third_party_authorization_details": "",
        "refunds": [],
    }


def addresses(payment: Json) -> Json:
    """The answer to a creation."""
    names = ("payment_id", "payment_url", "simplified_transfer_url", "transfer_url", "app_url", "ready_for_terminal")
    return {name: payment[name] for name in names}


def shown(payment: Json, *, amounts: Literal["number", "text"], list_refunds: bool) -> Json:
    """A payment as GET answers it. Without its refunds a payment says no more than that all of it was given back."""
    visible = {name: value for name, value in payment.items() if not name.startswith("_")}
    if amounts == "number":
        visible["amount"] = number(payment["amount"])
    if list_refunds:
        return visible | {"total_refunded": decimals(taken(payment))}
    del visible["refunds"]
    if visible["status_detail"] in ("partially-refunded", "fully-refunded"):
        whole = paid_back(payment) == Decimal(payment["amount"])
        visible["status_detail"] = "reversed" if whole else "normal"
    return visible


def refund(amount: Decimal, currency: str, now: float) -> Json:
    token = secrets.token_hex(16)
    return {
        "id": "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:])),
        "status": "pending",
        "amount": decimals(amount),
        "currency": currency,
        "request_date": moment(now),
    }


def refunded(payment: Json, refund: Json) -> Json:
    """The answer to POST /v3/refunds."""
    return {
        "id": refund["id"],
        "payment_id": payment["payment_id"],
        "refunded_amount": refund["amount"],
        "total_refunded": decimals(taken(payment)),
        "remaining": decimals(Decimal(payment["amount"]) - taken(payment)),
        "currency": payment["currency"],
        "message": "La reversa está en proceso.",
    }


def notification(payment: Json) -> Json:
    """What a webhook says: part of the payment, its amounts as text, empty fields left out."""
    values = payment | {"discount": "0.0000"}
    return {name: values[name] for name in _NOTIFIED if values[name] != ""}


def taken(payment: Json) -> Decimal:
    """What has been given back or is about to be."""
    return _sum(refund["amount"] for refund in payment["refunds"] if refund["status"] != "expired")


def paid_back(payment: Json) -> Decimal:
    return _sum(refund["amount"] for refund in payment["refunds"] if refund["status"] == "paid")


def number(amount: str) -> int | float:
    value = Decimal(amount)
    return int(value) if value == value.to_integral_value() else float(value)


def _sum(amounts: Iterable[str]) -> Decimal:
    return sum((Decimal(amount) for amount in amounts), Decimal(0))
