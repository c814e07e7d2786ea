"""The comparison that stands between a provider's word and money taken as received."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from psp.provider import (
    Confirmation,
    Confirmed,
    ExpectedPayment,
    FailureReason,
    FetchedPayment,
    Mismatch,
    NotConfirmed,
    ProviderStatus,
)


def judge(
    expected: ExpectedPayment, payment: FetchedPayment, *, live: bool | None, account: str | None = None
) -> Confirmation:
    """live, account: the mode a payment must be of and the account it must be paid to, None where any will do.

    Differences are looked for whatever the status.
    """
    checks = {
        "provider_ref": payment.provider_ref == expected.provider_ref,
        "reference": payment.our_reference == expected.our_reference,
        "currency": payment.amount.currency is expected.amount.currency,
        "amount": payment.amount.minor == expected.amount.minor,
        "live": live is None or payment.live is live,
        "account": account is None or payment.account == account,
    }
    differences = tuple(name for name, same in checks.items() if not same)
    if differences:
        return Mismatch(payment, differences)
    if payment.status is ProviderStatus.CONFIRMED:
        return Confirmed(payment)
    return NotConfirmed(payment)


def expired(payment: FetchedPayment, now: datetime, grace: timedelta) -> FetchedPayment:
    """For a provider that lets payments expire and never says so: what is PENDING, grace after its time, is failed.

    grace: how long an attempt that began in time may still take. Money that comes even later is a late success.
    """
    if payment.status is not ProviderStatus.PENDING or payment.unlisted:
        return payment
    if payment.expires_at is None or now < payment.expires_at + grace:
        return payment
    return replace(payment, status=ProviderStatus.FAILED, failure_reason=FailureReason.EXPIRED, derived=True)
