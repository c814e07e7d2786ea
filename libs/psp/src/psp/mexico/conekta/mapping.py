"""Between our words and Conekta's: amounts, statuses, bodies. Pure: wire samples in, values out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from kernel import Money
from kernel.money import parse_currency

from psp.mexico.conekta import wire
from psp.mexico.conekta.settings import ConektaSettings
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
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    ProviderError,
    ProviderNotConfigured,
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
)

NAME: Final = "conekta"
REFERENCE_KEY: Final = "cobro_payment_id"
METHOD_KEY: Final = "cobro_method"

# Conekta publishes no enum. voided, charged_back and fraudulent are known as event names only, so as a status they stay
# unlisted: nothing is concluded from a word nobody has documented.
STATUSES: Final[dict[str | None, tuple[ProviderStatus, FailureReason | None]]] = {
    None: (ProviderStatus.PENDING, None),
    "pending_payment": (ProviderStatus.PENDING, None),
    "pre_authorized": (ProviderStatus.PENDING, None),
    "under_fraud_review": (ProviderStatus.PENDING, None),
    "pending_confirmation": (ProviderStatus.PENDING, None),
    "paid": (ProviderStatus.CONFIRMED, None),
    "partially_refunded": (ProviderStatus.PARTIALLY_REFUNDED, None),
    "refunded": (ProviderStatus.REFUNDED, None),
    "declined": (ProviderStatus.FAILED, FailureReason.DECLINED),
    "expired": (ProviderStatus.FAILED, FailureReason.EXPIRED),
    "canceled": (ProviderStatus.FAILED, FailureReason.CANCELED),
}

# What ends an order that was never paid: its hosted page says so while the order itself has no payment status.
CHECKOUT_ENDINGS: Final = {"Expired": FailureReason.EXPIRED, "Cancelled": FailureReason.CANCELED}

# A card refund carries no status: it is done when it is there.
REFUND_STATUSES: Final[dict[str | None, RefundStatus]] = {
    None: RefundStatus.SUCCEEDED,
    "refunded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "canceled": RefundStatus.FAILED,
    "expired": RefundStatus.FAILED,
}


def order_body(request: IntentRequest, settings: ConektaSettings) -> dict[str, Any]:
    """The body of POST /orders: a hosted checkout for a QR or a link, a SPEI charge for a transfer."""
    name = request.description.strip()[:250] or "Pago"
    reference = str(request.reference)
    expires_at = int(request.expires_at.timestamp())
    body: dict[str, Any] = {
        "currency": request.amount.currency.value,
        "customer_info": {
            "name": request.customer.name or settings.anonymous_name,
            "email": request.customer.email or settings.anonymous_email,
            "phone": request.customer.phone or settings.anonymous_phone,
        },
        "line_items": [{"name": name, "unit_price": request.amount.minor, "quantity": 1}],
        "metadata": {REFERENCE_KEY: reference, METHOD_KEY: request.method.value},
    }
    if request.method is PaymentMethod.BANK_TRANSFER:
        body["charges"] = [
            {
                "amount": request.amount.minor,
                "payment_method": {"type": "spei", "expires_at": expires_at},
                "reference_id": reference,
            }
        ]
    else:
        body["checkout"] = {
            "type": "HostedPayment",
            "name": name,
            "allowed_payment_methods": list(settings.checkout_methods),
            "expires_at": expires_at,
            **({"success_url": settings.success_url} if settings.success_url else {}),
            **({"failure_url": settings.failure_url} if settings.failure_url else {}),
        }
    return body


def refund_body(request: RefundRequest) -> dict[str, Any]:
    # `reason` is a closed vocabulary of theirs, so the merchant's own words stay with us.
    return {"amount": request.amount.minor, "reason": "requested_by_client"}


def created(order: wire.Order) -> Created:
    """Raises ValueError where the order does not say how to pay it."""
    payment = fetched(order)
    if payment.instructions is None:
        raise ValueError("the order tells no way to pay it")
    return Created(NAME, payment.provider_ref, payment.status, payment.instructions, payment.expires_at)


def fetched(order: wire.Order) -> FetchedPayment:
    """Raises ValueError where an amount or currency is none of ours."""
    amount = Money(order.amount, parse_currency(order.currency))
    status, reason = STATUSES.get(order.payment_status, (ProviderStatus.PENDING, None))
    if order.payment_status is None and order.checkout is not None and order.checkout.status in CHECKOUT_ENDINGS:
        status, reason = ProviderStatus.FAILED, CHECKOUT_ENDINGS[order.checkout.status]
    charges = order.charges.items if order.charges else ()
    refunds = tuple(_refund(entry, amount) for charge in charges if charge.refunds for entry in charge.refunds.items)
    return FetchedPayment(
        provider=NAME,
        provider_ref=order.id,
        our_reference=reference_of(order),
        amount=amount,
        status=status,
        failure_reason=reason,
        refunded=_refunded(order, amount, status, refunds),
        live=order.livemode,
        status_text=order.payment_status,
        unlisted=order.payment_status not in STATUSES,
        failure_detail=next((charge.failure_code for charge in reversed(charges) if charge.failure_code), None),
        instructions=_instructions(order, charges),
        paid_at=_instant(max((charge.paid_at for charge in charges if charge.paid_at), default=None)),
        expires_at=_instant(_expiry(order, charges)),
        refunds=refunds,
    )


def reference_of(order: wire.Order) -> str | None:
    value = (order.metadata or {}).get(REFERENCE_KEY)
    if isinstance(value, str):
        return value
    charges = order.charges.items if order.charges else ()
    return next((charge.reference_id for charge in charges if charge.reference_id), None)


def failure(status: int, error: wire.Error | None, *, write: bool, retry_after: int | None) -> ProviderError:
    """An answer that is not a success. Conekta's own texts are left out: they may quote what the buyer typed."""
    detail = error.details[0] if error and error.details else wire.ErrorDetail()
    code = (detail.code or (error.type if error else None) or f"http_{status}")[:200]
    param = detail.param[:200] if detail.param else None
    if status == 429:
        return ProviderUnavailable(NAME, "rate_limited", retry_after=retry_after)
    if status in (401, 403):
        return ProviderNotConfigured(NAME, code, "the API key was refused")
    if status == 402:
        return Declined(NAME, code)
    if status == 404:
        return PaymentNotFound(NAME, code)
    if 400 <= status < 500 and status != 408:
        return ProviderRejected(NAME, code, param=param)
    if write:
        return OutcomeUnknown(NAME, f"http_{status}")
    return ProviderUnavailable(NAME, f"http_{status}", retry_after=retry_after)


def _refund(refund: wire.Refund, amount: Money) -> ProviderRefund:
    return ProviderRefund(
        refund_ref=refund.id,
        amount=Money(abs(refund.amount), amount.currency),
        status=REFUND_STATUSES.get(refund.status, RefundStatus.PENDING),
        created_at=_instant(refund.created_at),
        status_text=refund.status,
        unlisted=refund.status not in REFUND_STATUSES,
    )


def _refunded(order: wire.Order, amount: Money, status: ProviderStatus, refunds: tuple[ProviderRefund, ...]) -> Money:
    if order.amount_refunded is not None:
        return Money(abs(order.amount_refunded), amount.currency)
    if status is ProviderStatus.REFUNDED:
        return amount
    return Money(
        sum(refund.amount.minor for refund in refunds if refund.status is RefundStatus.SUCCEEDED), amount.currency
    )


def _instructions(order: wire.Order, charges: tuple[wire.Charge, ...]) -> Instructions | None:
    if order.checkout is not None:
        if order.checkout.url is None:
            return None
        if (order.metadata or {}).get(METHOD_KEY) == PaymentMethod.QR_DYNAMIC.value:
            return PayByQr(order.checkout.url, native=False)
        return PayByLink(order.checkout.url)
    for method in (charge.payment_method for charge in charges):
        if method is not None and method.clabe:
            return PayByTransfer(method.clabe, method.bank or method.receiving_account_bank, method.reference_number)
    return None


def _expiry(order: wire.Order, charges: tuple[wire.Charge, ...]) -> int | None:
    if order.checkout is not None:
        return order.checkout.expires_at
    return next((charge.payment_method.expires_at for charge in charges if charge.payment_method is not None), None)


def _instant(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
