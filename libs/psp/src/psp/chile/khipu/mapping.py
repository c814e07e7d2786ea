"""Between our words and Khipu's: amounts, statuses, bodies. Pure: wire samples in, values out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from chassis.strict_json import InvalidJson, strict_json
from kernel import Currency, Money
from kernel.money import parse_currency

from psp.chile.khipu import wire
from psp.chile.khipu.settings import KhipuSettings, QrAddress, Transfer
from psp.confirmation import expired
from psp.provider import (
    Created,
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

NAME: Final = "khipu"
METHOD_KEY: Final = "cobro_method"
NOTIFY_API_VERSION: Final = "3.0"

# Of a payment that was given back as a whole and lists no refunds.
WHOLE_REFUND: Final = "whole"
_ACCEPTED: Final = "accepted."
_MADE_BY_US: Final = re.compile(r"accepted\.([0-9]{1,15})\.[0-9a-f-]{36}", re.ASCII)

# By status and status_detail. `deleted` and the two refunded details are not in Khipu's specification but have been
# seen. There is no status of an expired payment: see `fetched_at`.
STATUSES: Final[dict[tuple[str, str], tuple[ProviderStatus, FailureReason | None]]] = {
    ("pending", "pending"): (ProviderStatus.PENDING, None),
    ("pending", ""): (ProviderStatus.PENDING, None),
    ("verifying", "pending"): (ProviderStatus.PENDING, None),
    ("verifying", "verifying"): (ProviderStatus.PENDING, None),
    ("verifying", ""): (ProviderStatus.PENDING, None),
    ("done", "normal"): (ProviderStatus.CONFIRMED, None),
    ("done", "marked-paid-by-receiver"): (ProviderStatus.CONFIRMED, None),
    ("done", "rejected-by-payer"): (ProviderStatus.FAILED, FailureReason.DECLINED),
    ("done", "marked-as-abuse"): (ProviderStatus.FAILED, FailureReason.DECLINED),
    ("done", "reversed"): (ProviderStatus.REFUNDED, None),
    ("done", "partially-refunded"): (ProviderStatus.PARTIALLY_REFUNDED, None),
    ("done", "fully-refunded"): (ProviderStatus.REFUNDED, None),
    ("deleted", "pending"): (ProviderStatus.FAILED, FailureReason.CANCELED),
    ("deleted", ""): (ProviderStatus.FAILED, FailureReason.CANCELED),
}

REFUND_STATUSES: Final[dict[str | None, RefundStatus]] = {
    "pending": RefundStatus.PENDING,
    "authorized": RefundStatus.PENDING,
    "paid": RefundStatus.SUCCEEDED,
    "expired": RefundStatus.FAILED,
}

_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_.]{0,99}): ", re.ASCII)
_BY_REFUNDS = (("done", "normal"), ("done", "partially-refunded"), ("done", "fully-refunded"))


def payment_body(request: IntentRequest, settings: KhipuSettings) -> dict[str, Any]:
    """The body of POST /v3/payments, the same for every method: they differ in which address the buyer is given."""
    optional = {
        "return_url": settings.return_url,
        "cancel_url": settings.cancel_url,
        "payer_name": request.customer.name,
        "payer_email": request.customer.email,
        "notify_url": settings.notify_url,
        "notify_api_version": NOTIFY_API_VERSION if settings.notify_url else None,
    }
    return {
        "amount": _number(request.amount),
        "currency": request.amount.currency.value,
        "subject": request.description.strip()[:255] or "Pago",
        "transaction_id": str(request.reference),
        "custom": json.dumps({METHOD_KEY: request.method.value}),
        "expires_date": request.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: value for name, value in optional.items() if value},
    }


def refund_body(request: RefundRequest, left: Money) -> dict[str, Any]:
    """The body of POST /v3/refunds. left: what has not been given back yet; `full` means that, and takes no amount."""
    if request.amount == left:
        return {"type": "full", "payment_id": request.provider_ref}
    return {"type": "partial", "payment_id": request.provider_ref, "amount": str(request.amount)}


def payment_refund_body(request: RefundRequest, left: Money) -> dict[str, Any]:
    """The body of POST /v3/payments/{id}/refunds."""
    return {} if request.amount == left else {"amount": _number(request.amount)}


def created(addresses: wire.Addresses, request: IntentRequest, settings: KhipuSettings) -> Created:
    """Raises ValueError where the answer lacks the address of this method."""
    instructions = _instructions(addresses, request.method, settings)
    if instructions is None:
        raise ValueError("the payment tells no way to pay it")
    expires_at = request.expires_at.replace(microsecond=0)
    return Created(NAME, addresses.payment_id, ProviderStatus.PENDING, instructions, expires_at)


def fetched(payment: wire.Payment, settings: KhipuSettings) -> FetchedPayment:
    """Raises ValueError where an amount or currency is none of ours."""
    amount = Money.of(payment.amount, parse_currency(payment.currency))
    words = (payment.status, payment.status_detail or "")
    status, reason = STATUSES.get(words, (ProviderStatus.PENDING, None))
    refunds = _refunds(payment, amount, status)
    if payment.refunds and words in _BY_REFUNDS:
        # The word changes when a refund is asked for; the money is back when the refund says so.
        status = _by_refunds(amount, refunds)
    return FetchedPayment(
        provider=NAME,
        provider_ref=payment.payment_id,
        our_reference=payment.transaction_id or None,
        amount=amount,
        status=status,
        failure_reason=reason,
        refunded=_refunded(payment, amount, status, refunds),
        live=None,
        account=None if payment.receiver_id is None else str(payment.receiver_id),
        status_text="/".join(word for word in words if word),
        unlisted=words not in STATUSES,
        failure_detail=payment.status_detail if reason is FailureReason.DECLINED else None,
        instructions=_instructions(payment, method_of(payment), settings),
        paid_at=instant(payment.conciliation_date),
        expires_at=instant(payment.expires_date),
        refunds=refunds,
    )


def fetched_at(payment: wire.Payment, settings: KhipuSettings, now: datetime) -> FetchedPayment:
    """The same, expired where its time is over. What the bank is still verifying has not expired."""
    reading = fetched(payment, settings)
    if payment.status != "pending":
        return reading
    return expired(reading, now, timedelta(seconds=settings.expiry_grace_seconds))


def method_of(payment: wire.Payment) -> PaymentMethod:
    """What it was asked for as; a link where it was not asked for by us."""
    try:
        custom = strict_json((payment.custom or "").encode())
        return PaymentMethod(custom[METHOD_KEY])
    except (InvalidJson, KeyError, TypeError, ValueError):
        return PaymentMethod.PAYMENT_LINK


def left_of(payment: FetchedPayment) -> Money:
    """What can still be given back: refunds under way count as given."""
    taken = sum(refund.amount.minor for refund in payment.refunds if refund.status is not RefundStatus.FAILED)
    return Money(payment.amount.minor - max(taken, payment.refunded.minor), payment.amount.currency)


def refund(answer: wire.Refunded) -> ProviderRefund:
    """Raises ValueError where the amount is no money of ours. Khipu has only taken the request."""
    return ProviderRefund(answer.id, Money.of(answer.refunded_amount, answer.currency), RefundStatus.PENDING)


def accepted_refund(request: RefundRequest) -> ProviderRefund:
    """One that Khipu took and does not list; its reference is made by us and tells the amount."""
    refund_ref = f"{_ACCEPTED}{request.amount.minor}.{request.reference}"
    return ProviderRefund(refund_ref, request.amount, RefundStatus.PENDING)


def unlisted_refund(payment: FetchedPayment, refund_ref: str) -> ProviderRefund | None:
    """What became of an `accepted_refund`: nobody can tell before the whole payment is given back."""
    made = _MADE_BY_US.fullmatch(refund_ref)
    if made is None:
        return None
    amount = Money(int(made.group(1)), payment.amount.currency)
    is_back = payment.status is ProviderStatus.REFUNDED
    return ProviderRefund(refund_ref, amount, RefundStatus.SUCCEEDED if is_back else RefundStatus.PENDING)


def failure(status: int, error: wire.Error | None, *, write: bool, retry_after: int | None) -> ProviderError:
    """An answer that is not a success. Of Khipu's own text only the field it names is kept: the rest may quote what the
    buyer typed.
    """
    code, param = f"http_{status}", None
    if error is not None:
        code = str(error.code or error.type or code)[:200]
        named = _FIELD.match(error.message or "")
        param = next((entry.field[:200] for entry in error.errors or () if entry.field), named and named.group(1))
    if status == 429:
        return ProviderUnavailable(NAME, "rate_limited", retry_after=retry_after)
    if status in (401, 403):
        return ProviderNotConfigured(NAME, code, "the API key was refused, or may not do this")
    if status == 404:
        return PaymentNotFound(NAME, code)
    if 400 <= status < 500 and status != 408:
        return ProviderRejected(NAME, code, param=param)
    if write:
        return OutcomeUnknown(NAME, f"http_{status}")
    return ProviderUnavailable(NAME, f"http_{status}", retry_after=retry_after)


def instant(text: str | None) -> datetime | None:
    """None where it is not there, or not an instant: without an offset nobody knows which."""
    try:
        value = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return None if value.tzinfo is None else value.astimezone(UTC)


def _number(amount: Money) -> int:
    """A JSON number. Only for a currency without decimals, where it is an integer."""
    if amount.currency is not Currency.CLP:
        raise ValueError("only Chilean pesos are sent")
    return amount.minor


def _instructions(addresses: wire.Addresses, method: PaymentMethod, settings: KhipuSettings) -> Instructions | None:
    match method:
        case PaymentMethod.QR_DYNAMIC | PaymentMethod.QR_STATIC:
            by_app = settings.qr_address is QrAddress.APP_URL
            content = addresses.app_url if by_app else addresses.payment_url
            return PayByQr(content, native=False) if content else None
        case PaymentMethod.PAYMENT_LINK:
            return PayByLink(addresses.payment_url) if addresses.payment_url else None
        case PaymentMethod.BANK_TRANSFER:
            regular = settings.transfer is Transfer.REGULAR
            url = addresses.transfer_url if regular else addresses.simplified_transfer_url
            return PayByTransfer(url=url) if url else None


def _refunds(payment: wire.Payment, amount: Money, status: ProviderStatus) -> tuple[ProviderRefund, ...]:
    if not payment.refunds and status is ProviderStatus.REFUNDED:
        return (ProviderRefund(WHOLE_REFUND, amount, RefundStatus.SUCCEEDED),)
    return tuple(
        ProviderRefund(
            refund_ref=entry.id,
            amount=Money.of(entry.amount, amount.currency),
            status=REFUND_STATUSES.get(entry.status, RefundStatus.PENDING),
            created_at=instant(entry.request_date),
            status_text=entry.status,
            unlisted=entry.status not in REFUND_STATUSES,
        )
        for entry in payment.refunds or ()
    )


def _by_refunds(amount: Money, refunds: tuple[ProviderRefund, ...]) -> ProviderStatus:
    back = _back(refunds)
    if back == 0:
        return ProviderStatus.CONFIRMED
    return ProviderStatus.REFUNDED if back >= amount.minor else ProviderStatus.PARTIALLY_REFUNDED


def _refunded(
    payment: wire.Payment, amount: Money, status: ProviderStatus, refunds: tuple[ProviderRefund, ...]
) -> Money:
    if status is ProviderStatus.REFUNDED:
        return amount
    if payment.refunds:
        return Money(_back(refunds), amount.currency)
    return Money.of(payment.total_refunded or 0, amount.currency)


def _back(refunds: tuple[ProviderRefund, ...]) -> int:
    return sum(refund.amount.minor for refund in refunds if refund.status is RefundStatus.SUCCEEDED)
