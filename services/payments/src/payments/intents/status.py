"""The state machine of a payment, as data.

SUBMITTING ─▶ PENDING ─▶ CONFIRMED ─▶ PARTIALLY_REFUNDED ─▶ REFUNDED
    │  ▲         │           ▲
    ▼  │         ▼           │ late: money may arrive after we gave up
 UNKNOWN ─────▶ FAILED ──────┘

SUBMITTING: written, the call to the provider is under way. UNKNOWN: sent, and no usable answer came. Both, and PENDING,
are PENDING to the outside. Nothing but the provider's explicit word leaves these steps for CONFIRMED or FAILED.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kernel import Money


class Step(StrEnum):
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"


class PaymentStatus(StrEnum):
    """What the outside sees."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"


class Evidence(StrEnum):
    """The provider's word, read from it and compared with what we asked for. PAID includes paid and refunded since."""

    WAITING = "WAITING"
    PAID = "PAID"
    FAILED = "FAILED"


class IllegalMove(Exception):
    """A step the table does not allow: a bug of ours, never an answer to a request."""


WAITING: Final = frozenset({Step.SUBMITTING, Step.UNKNOWN, Step.PENDING})
UNSENT: Final = frozenset({Step.SUBMITTING, Step.UNKNOWN})
REFUNDABLE: Final = frozenset({Step.CONFIRMED, Step.PARTIALLY_REFUNDED})

TRANSITIONS: Final[Mapping[Step, frozenset[Step]]] = MappingProxyType(
    {
        Step.SUBMITTING: frozenset({Step.UNKNOWN, Step.PENDING, Step.FAILED}),
        Step.UNKNOWN: frozenset({Step.SUBMITTING, Step.PENDING, Step.FAILED}),
        Step.PENDING: frozenset({Step.CONFIRMED, Step.FAILED}),
        Step.FAILED: frozenset({Step.CONFIRMED}),
        Step.CONFIRMED: frozenset({Step.PARTIALLY_REFUNDED, Step.REFUNDED}),
        Step.PARTIALLY_REFUNDED: frozenset({Step.PARTIALLY_REFUNDED, Step.REFUNDED}),
        Step.REFUNDED: frozenset(),
    }
)

PUBLIC: Final[Mapping[Step, PaymentStatus]] = MappingProxyType(
    {
        Step.SUBMITTING: PaymentStatus.PENDING,
        Step.UNKNOWN: PaymentStatus.PENDING,
        Step.PENDING: PaymentStatus.PENDING,
        Step.CONFIRMED: PaymentStatus.CONFIRMED,
        Step.PARTIALLY_REFUNDED: PaymentStatus.PARTIALLY_REFUNDED,
        Step.REFUNDED: PaymentStatus.REFUNDED,
        Step.FAILED: PaymentStatus.FAILED,
    }
)

# What is not listed here changes nothing: stale news, or a step that only our own refunds may take.
_PATHS: Final[Mapping[tuple[Step, Evidence], tuple[Step, ...]]] = MappingProxyType(
    {
        (Step.SUBMITTING, Evidence.WAITING): (Step.PENDING,),
        (Step.SUBMITTING, Evidence.PAID): (Step.PENDING, Step.CONFIRMED),
        (Step.SUBMITTING, Evidence.FAILED): (Step.FAILED,),
        (Step.UNKNOWN, Evidence.WAITING): (Step.PENDING,),
        (Step.UNKNOWN, Evidence.PAID): (Step.PENDING, Step.CONFIRMED),
        (Step.UNKNOWN, Evidence.FAILED): (Step.FAILED,),
        (Step.PENDING, Evidence.PAID): (Step.CONFIRMED,),
        (Step.PENDING, Evidence.FAILED): (Step.FAILED,),
        (Step.FAILED, Evidence.PAID): (Step.CONFIRMED,),
    }
)


def path(step: Step, seen: Evidence) -> tuple[Step, ...]:
    """The steps a payment takes on this evidence, in order; none where it tells nothing new."""
    return _PATHS.get((step, seen), ())


def check(step: Step, to: Step) -> None:
    """Raises IllegalMove."""
    if to not in TRANSITIONS[step]:
        raise IllegalMove(f"{step} to {to}")


def is_late(step: Step, to: Step) -> bool:
    """Whether this step is money that came after the payment had been given up."""
    return step is Step.FAILED and to is Step.CONFIRMED


def after_refund(amount: Money, refunded: Money) -> Step:
    """The step of a payment of which so much has been given back."""
    return Step.REFUNDED if refunded >= amount else Step.PARTIALLY_REFUNDED


def steps_of(status: PaymentStatus) -> tuple[Step, ...]:
    """The steps behind a status, for a filter."""
    return tuple(step for step, public in PUBLIC.items() if public is status)
