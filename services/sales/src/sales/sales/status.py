"""What a sale is to the outside (status), what is still to be done for it (step), and which moves exist."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SaleStatus(StrEnum):
    PENDING_PAYMENT = "PENDING_PAYMENT"
    COMPLETED = "COMPLETED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    CANCELED = "CANCELED"


SOLD = frozenset({SaleStatus.COMPLETED, SaleStatus.PARTIALLY_REFUNDED, SaleStatus.REFUNDED})
"""The goods have left, whatever came back afterwards."""


class PaymentMethod(StrEnum):
    CASH = "CASH"
    QR_STATIC = "QR_STATIC"
    QR_DYNAMIC = "QR_DYNAMIC"
    PAYMENT_LINK = "PAYMENT_LINK"
    BANK_TRANSFER = "BANK_TRANSFER"


class Step(StrEnum):
    """The next thing to do. Who does it writes the result under the row's lock, and only if the step is unchanged."""

    RESERVING = "RESERVING"  # ask the catalogue for prices and goods
    PAYING = "PAYING"  # ask payments for something the buyer can pay
    AWAITING_PAYMENT = "AWAITING_PAYMENT"  # nothing, until payments tells, or its time is up
    COMMITTING = "COMMITTING"  # the money is there: take the goods out of stock, complete
    REVIVING = "REVIVING"  # the money is there, the goods went back: reserve them again
    REFUNDING = "REFUNDING"  # the money is there, the goods are gone: give it back
    RELEASING = "RELEASING"  # canceled: give the goods back
    VOIDING = "VOIDING"  # canceled while nobody knew whether a payment exists: make sure that it cannot be paid
    SETTLED = "SETTLED"  # nothing, for good (but money may still come)


class CancelReason(StrEnum):
    """Why a sale that got as far as its payment was canceled. One refused before that carries the refusal's code."""

    CANCELED_BY_USER = "canceled_by_user"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_EXPIRED = "payment_expired"
    PAYMENT_UNAVAILABLE = "payment_unavailable"
    CATALOG_UNAVAILABLE = "catalog_unavailable"
    OUT_OF_STOCK = "out_of_stock"


class PaymentNote(StrEnum):
    """What the merchant should know about the money of a sale."""

    LATE_PAYMENT_ACCEPTED = "late_payment_accepted"
    LATE_PAYMENT_REFUNDED = "late_payment_refunded"
    REFUND_FAILED = "refund_failed"
    AMOUNT_MISMATCH = "amount_mismatch"
    TILL_MISMATCH = "till_mismatch"


class IllegalMove(Exception):
    """A step that no rule leads to: a bug of ours, never a client's mistake."""


STEPS: Mapping[Step, frozenset[Step]] = MappingProxyType(
    {
        Step.RESERVING: frozenset({Step.PAYING, Step.COMMITTING, Step.RELEASING}),
        Step.PAYING: frozenset({Step.AWAITING_PAYMENT, Step.COMMITTING, Step.RELEASING}),
        Step.AWAITING_PAYMENT: frozenset({Step.COMMITTING, Step.RELEASING}),
        Step.COMMITTING: frozenset({Step.SETTLED, Step.REVIVING}),
        Step.REVIVING: frozenset({Step.COMMITTING, Step.REFUNDING, Step.RELEASING}),
        Step.REFUNDING: frozenset({Step.SETTLED, Step.COMMITTING}),
        Step.RELEASING: frozenset({Step.VOIDING, Step.SETTLED, Step.REVIVING, Step.REFUNDING}),
        Step.VOIDING: frozenset({Step.SETTLED, Step.REVIVING, Step.REFUNDING}),
        # RESERVING: a sale that took place, was refused, and is sent again by its till.
        Step.SETTLED: frozenset({Step.REVIVING, Step.REFUNDING, Step.RESERVING}),
    }
)

AT_REST = frozenset({Step.AWAITING_PAYMENT, Step.SETTLED})


def check_move(current: Step, following: Step) -> None:
    """Raises IllegalMove."""
    if following not in STEPS[current]:
        raise IllegalMove(f"{current} -> {following}")
