"""Between our words and Mercado Pago's: amounts, statuses, bodies. Pure: wire samples in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from kernel import Currency, Money
from kernel.money import parse_currency

from psp.argentina.mercadopago import wire
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.provider import (
    Created,
    Declined,
    FailureReason,
    FetchedPayment,
    Instructions,
    IntentRequest,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
    PaymentMethod,
    PaymentNotFound,
    ProviderError,
    ProviderNotConfigured,
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundStatus,
)

NAME: Final = "mercadopago"
QR: Final = "qr"
ONLINE: Final = "online"

# By status, or by status and detail where the detail decides. charged_back stays unlisted: what it means for a payment
# that was confirmed is for a person to see.
STATUSES: Final[dict[tuple[str | None, str | None], tuple[ProviderStatus, FailureReason | None]]] = {
    ("created", None): (ProviderStatus.PENDING, None),
    ("processing", None): (ProviderStatus.PENDING, None),
    ("action_required", None): (ProviderStatus.PENDING, None),
    ("in_review", None): (ProviderStatus.PENDING, None),
    ("at_terminal", None): (ProviderStatus.PENDING, None),
    ("processed", "accredited"): (ProviderStatus.CONFIRMED, None),
    ("processed", "processed"): (ProviderStatus.CONFIRMED, None),
    ("processed", "partially_refunded"): (ProviderStatus.PARTIALLY_REFUNDED, None),
    ("refunded", None): (ProviderStatus.REFUNDED, None),
    ("canceled", None): (ProviderStatus.FAILED, FailureReason.CANCELED),
    ("expired", None): (ProviderStatus.FAILED, FailureReason.EXPIRED),
    ("failed", None): (ProviderStatus.FAILED, FailureReason.DECLINED),
}

REFUND_STATUSES: Final[dict[str | None, RefundStatus]] = {
    "processing": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
}

# Orders name their currency in every sample, and their country too; should one be silent, the other speaks.
_COUNTRIES: Final = {"ARG": Currency.ARS, "AR": Currency.ARS}

_DURATION: Final = re.compile(
    r"P(?:(?P<days>\d{1,4})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)
_CHECKOUT_URL: Final = re.compile(r"https?://\S+")


def order_body(request: IntentRequest, settings: MercadoPagoSettings, now: datetime) -> dict[str, Any]:
    """The body of POST /v1/orders. Raises ProviderNotConfigured for a QR code without a point of sale."""
    amount = str(request.amount)
    description = request.description.strip()[:150] or "Pago"
    body: dict[str, Any] = {
        "total_amount": amount,
        "external_reference": str(request.reference),
        "description": description,
        "expiration_time": duration(request.expires_at - now),
    }
    if request.method is PaymentMethod.QR_DYNAMIC:
        if settings.external_pos_id is None:
            raise ProviderNotConfigured(NAME, "external_pos_id_missing")
        return body | {
            "type": QR,
            "config": {"qr": {"external_pos_id": settings.external_pos_id, "mode": "dynamic"}},
            "transactions": {"payments": [{"amount": amount}]},
        }
    return body | {
        "type": ONLINE,
        # The buyer pays on their page, whenever that is, and is charged at once.
        "processing_mode": "manual",
        "capture_mode": "automatic",
        "payer": {"email": request.customer.email or settings.anonymous_email},
        "items": [{"title": description, "quantity": 1, "unit_price": amount}],
        "config": _checkout_config(settings),
    }


def duration(lifetime: timedelta) -> str:
    """ISO 8601, in whole minutes as in every sample, rounded up: we end a payment earlier ourselves."""
    return f"PT{-(-lifetime // timedelta(minutes=1))}M"


def partial_refund_body(payment_id: str, amount: Money) -> dict[str, Any]:
    return {"transactions": [{"id": payment_id, "amount": str(amount)}]}


def created(order: wire.Order) -> Created:
    """Raises ValueError where the order does not say how to pay it."""
    payment = fetched(order)
    if payment.instructions is None:
        raise ValueError("the order tells no way to pay it")
    return Created(NAME, payment.provider_ref, payment.status, payment.instructions, payment.expires_at)


def fetched(order: wire.Order) -> FetchedPayment:
    """Raises ValueError where an amount, a currency or a duration cannot be read."""
    total = _money(order.total_amount, _currency(order))
    listed = STATUSES.get((order.status, order.status_detail)) or STATUSES.get((order.status, None))
    status, reason = listed or (ProviderStatus.PENDING, None)
    payments = (order.transactions.payments if order.transactions else None) or ()
    refunds = _refunds((order.transactions.refunds if order.transactions else None) or (), total)
    return FetchedPayment(
        provider=NAME,
        provider_ref=order.id,
        our_reference=order.external_reference,
        amount=_received(payments, total),
        status=status,
        failure_reason=reason,
        refunded=_refunded(status, total, refunds),
        live=None,
        account=order.user_id,
        status_text="/".join(part for part in (order.status, order.status_detail) if part) or None,
        unlisted=listed is None,
        failure_detail=order.status_detail if reason is not None else None,
        instructions=_instructions(order),
        paid_at=order.last_updated_date if status is ProviderStatus.CONFIRMED else None,
        expires_at=_expiry(order),
        refunds=refunds,
    )


def is_foreign(order: wire.Order) -> bool:
    """In another currency it is somebody else's, sold with the same account."""
    try:
        return _currency(order) is not Currency.ARS
    except ValueError:
        return order.currency is not None


def paid_transaction(order: wire.Order) -> str | None:
    """What a partial refund must name."""
    payments = (order.transactions.payments if order.transactions else None) or ()
    return next((payment.id for payment in payments if payment.status in ("processed", "refunded")), None)


def failure(status: int, error: wire.Error | None, *, write: bool, retry_after: int | None) -> ProviderError:
    """An answer that is not a success. Their texts are left out: they may quote what the buyer typed."""
    entries = (error.errors or error.cause or ()) if error else ()
    code = str((entries[0].code if entries else None) or (error.error if error else None) or f"http_{status}")[:200]
    if status == 429:
        return ProviderUnavailable(NAME, "rate_limited", retry_after=retry_after)
    if status in (401, 403):
        return ProviderNotConfigured(NAME, code, "the access token was refused")
    if status == 402:
        return Declined(NAME, code)
    if status == 404:
        return PaymentNotFound(NAME, code)
    # A key that was used, or is being used at this moment: whatever was asked for under it is there, or will be.
    in_doubt = status in (408, 423, 424) or "idempotency" in code
    if 400 <= status < 500 and not in_doubt:
        return ProviderRejected(NAME, code)
    if write:
        return OutcomeUnknown(NAME, code if in_doubt else f"http_{status}")
    return ProviderUnavailable(NAME, f"http_{status}", retry_after=retry_after)


def _checkout_config(settings: MercadoPagoSettings) -> dict[str, Any]:
    urls = {
        "success_url": settings.success_url,
        "failure_url": settings.failure_url,
        "pending_url": settings.pending_url,
    }
    online = {name: url for name, url in urls.items() if url}
    if settings.success_url:
        online["auto_return"] = "approved"
    config: dict[str, Any] = {"online": online} if online else {}
    if settings.not_allowed_types:
        config["payment_method"] = {"not_allowed_types": list(settings.not_allowed_types)}
    return config


def _received(payments: Sequence[wire.Payment], total: Money) -> Money:
    """What was paid, before what the buyer pays for instalments; the order's own total while nothing is."""
    paid = [payment.amount for payment in payments if payment.status in ("processed", "refunded") and payment.amount]
    if not paid:
        return total
    return Money(sum(_money(amount, total.currency).minor for amount in paid), total.currency)


def _refunds(refunds: Sequence[wire.Refund], total: Money) -> tuple[ProviderRefund, ...]:
    return tuple(
        ProviderRefund(
            refund_ref=refund.id,
            amount=total if refund.amount is None else _money(refund.amount, total.currency),
            status=REFUND_STATUSES.get(refund.status, RefundStatus.PENDING),
            status_text=refund.status,
            unlisted=refund.status not in REFUND_STATUSES,
        )
        for refund in refunds
    )


def _refunded(status: ProviderStatus, total: Money, refunds: Sequence[ProviderRefund]) -> Money:
    if status is ProviderStatus.REFUNDED:
        return total
    done = sum(refund.amount.minor for refund in refunds if refund.status is RefundStatus.SUCCEEDED)
    return Money(done, total.currency)


def _instructions(order: wire.Order) -> Instructions | None:
    if order.type == QR:
        code = order.type_response.qr_data if order.type_response else None
        return PayByQr(code, native=True) if code else None
    if order.checkout_url and _CHECKOUT_URL.fullmatch(order.checkout_url):
        return PayByLink(order.checkout_url)
    return None


def _expiry(order: wire.Order) -> datetime | None:
    if order.created_date is None or order.expiration_time is None:
        return None
    found = _DURATION.fullmatch(order.expiration_time)
    if found is None:
        raise ValueError("expiration_time is no duration")
    parts = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    if not parts:
        raise ValueError("expiration_time is empty")
    try:
        return order.created_date + timedelta(**parts)
    except OverflowError:
        raise ValueError("expiration_time is out of range") from None


def _currency(order: wire.Order) -> Currency:
    if order.currency is not None:
        return parse_currency(order.currency)
    if order.country_code in _COUNTRIES:
        return _COUNTRIES[order.country_code]
    raise ValueError("neither currency nor country")


def _money(amount: str | Decimal, currency: Currency) -> Money:
    return Money.of(amount, currency)
