"""What every adapter does with the payments it has read, and with a refund it is to ask for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel import Currency
from prometheus_client import Counter

from psp.provider import FetchedPayment, ProviderRefund, ProviderRejected, ProviderStatus, RefundRequest

_LOG = logging.getLogger(__name__)
_UNLISTED = Counter("cobro_psp_unlisted_status_total", "Statuses a provider sent that no table lists.", ["provider"])
_DUPLICATES = Counter(
    "cobro_psp_duplicate_payments_total", "Searches that found more than one payment of one reference.", ["provider"]
)

# Which of several payments of one reference is the one that counts.
_PRECEDENCE: Final = {
    ProviderStatus.CONFIRMED: 0,
    ProviderStatus.PARTIALLY_REFUNDED: 1,
    ProviderStatus.REFUNDED: 2,
    ProviderStatus.PENDING: 3,
    ProviderStatus.FAILED: 4,
}


def noted(payment: FetchedPayment) -> FetchedPayment:
    """The same; a status that no table lists is counted and logged."""
    if payment.unlisted or any(refund.unlisted for refund in payment.refunds):
        _UNLISTED.labels(payment.provider).inc()
        _LOG.warning("psp.unlisted_status provider=%s status=%.40r", payment.provider, payment.status_text)
    return payment


def decisive(our_reference: str, payments: Sequence[FetchedPayment]) -> FetchedPayment | None:
    """Of all payments with this reference the one that counts, a paid one before any other."""
    if len(payments) > 1:
        provider = payments[0].provider
        _DUPLICATES.labels(provider).inc()
        _LOG.error("psp.duplicate_payments provider=%s count=%d reference=%s", provider, len(payments), our_reference)
    return min(payments, key=lambda payment: _PRECEDENCE[payment.status], default=None)


def new_refund(payment: FetchedPayment, request: RefundRequest) -> ProviderRefund | None:
    """The latest refund of this amount that we do not hold yet, where a provider carries no reference of ours on it."""
    unknown = [
        refund
        for refund in payment.refunds
        if refund.refund_ref not in request.known_refunds and refund.amount == request.amount
    ]
    return unknown[-1] if unknown else None


@dataclass(frozen=True, slots=True)
class Window:
    """Epoch seconds, both ends included."""

    first: int
    last: int


def creation_window(our_reference: str) -> Window | None:
    """When a payment of this reference was created: our ids tell their own time (UUIDv7), give or take two clocks and
    a create that was resumed. None for a reference that tells no time.
    """
    try:
        reference = UUID(our_reference)
    except ValueError:
        return None
    if reference.version != 7:
        return None
    seconds = (reference.int >> 80) // 1000
    return Window(seconds - 600, seconds + 3600)


def check_refund(provider: str, currency: Currency, request: RefundRequest) -> None:
    """Raises ProviderRejected for what no provider would give back."""
    if request.amount.currency is not currency:
        raise ProviderRejected(provider, "currency_not_supported", param="currency")
    if request.amount.minor <= 0:
        raise ProviderRejected(provider, "amount_not_positive", param="amount")
