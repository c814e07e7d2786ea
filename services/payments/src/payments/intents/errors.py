"""What callers of the payments service are told."""

from __future__ import annotations

from uuid import UUID

from kernel import CobroError, Conflict, Money, NotFound, RuleViolation, Unavailable
from psp.provider import (
    Declined,
    OutcomeUnknown,
    ProviderError,
    ProviderNotConfigured,
    ProviderRejected,
)


def payment_not_found() -> NotFound:
    return NotFound("Payment not found", code="payment_not_found")


def no_qr() -> NotFound:
    return NotFound("This payment has no QR code", code="qr_not_available")


def business_inactive() -> RuleViolation:
    return RuleViolation("The business is not active", code="business_inactive")


def currency_mismatch(expected: str) -> RuleViolation:
    return RuleViolation(f"This business is paid in {expected}", code="currency_mismatch")


def amount_over_limit(limit: Money) -> RuleViolation:
    return RuleViolation(
        f"A payment is at most {limit} {limit.currency}",
        code="amount_over_limit",
        metadata={"limit": str(limit), "currency": limit.currency.value},
    )


def method_not_supported(method: str, country: str) -> RuleViolation:
    return RuleViolation(f"{method} is not offered in {country}", code="method_not_supported")


def provider_not_available(country: str) -> RuleViolation:
    return RuleViolation(f"No payment provider is available in {country} yet", code="provider_not_available")


def sale_has_payment() -> Conflict:
    return Conflict("This sale already has a payment", code="sale_has_payment")


def not_cancelable(status: str) -> Conflict:
    return Conflict(f"A payment that is {status} cannot be canceled", code="payment_not_cancelable")


def outcome_unknown(payment_id: UUID) -> Unavailable:
    return Unavailable(
        f"The provider did not answer for payment {payment_id}, which stays pending until it does."
        " Repeat the request with the same Idempotency-Key",
        code="payment_outcome_unknown",
        retry_after=2,
        metadata={"payment_id": str(payment_id)},
    )


def refusal(error: ProviderError, *, code: str = "payment") -> CobroError:
    """A provider's error, none of unknown outcome, in our words; theirs could quote what the buyer typed."""
    assert not isinstance(error, OutcomeUnknown)
    metadata = {"provider": error.provider, "provider_code": error.code}
    match error:
        case Declined():
            return RuleViolation(f"The provider declined it ({error.code})", code=f"{code}_declined", metadata=metadata)
        case ProviderRejected():
            return RuleViolation(f"The provider refused it ({error.code})", code=f"{code}_rejected", metadata=metadata)
        case ProviderNotConfigured():
            return Unavailable(
                "The payment provider does not accept our credentials", code="provider_not_configured", retry_after=60
            )
        case _:
            return Unavailable(
                "The payment provider cannot be reached",
                code="provider_unavailable",
                retry_after=error.retry_after or 2,
            )


def failure_reason(error: ProviderError) -> str:
    """As stored on the payment."""
    match error:
        case Declined():
            return "declined"
        case ProviderRejected():
            return "rejected"
        case _:
            return "provider_unavailable"
