"""What administrators who confirm by hand are told."""

from __future__ import annotations

from kernel import Conflict, Forbidden


def admins_only() -> Forbidden:
    return Forbidden("Only administrators may confirm a payment by hand")


def not_in_test_mode() -> Forbidden:
    return Forbidden(
        "Payments are confirmed by hand in test mode only: here the provider alone says that money has come",
        code="not_in_test_mode",
    )


def not_confirmable() -> Conflict:
    return Conflict(
        "It is not known yet whether the provider has this payment", code="payment_not_confirmable", retry_after=2
    )


def disputed() -> Conflict:
    return Conflict(
        "The money at the provider is not what was asked for, which nobody can confirm", code="payment_disputed"
    )
