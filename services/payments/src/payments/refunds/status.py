"""The state machine of a refund, as data.

SUBMITTING ─▶ PENDING ─▶ SUCCEEDED
    │  ╲         ╲
    ▼   ╲─────────╲─▶ FAILED (the reserved amount is released)
 UNKNOWN ─▶ any of the three

The amount is reserved on the payment before the provider is called, and stays so until the provider's own word ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RefundStep(StrEnum):
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundStatus(StrEnum):
    """What the outside sees."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


OPEN: Final = frozenset({RefundStep.SUBMITTING, RefundStep.UNKNOWN, RefundStep.PENDING})
UNSENT: Final = frozenset({RefundStep.SUBMITTING, RefundStep.UNKNOWN})

TRANSITIONS: Final[Mapping[RefundStep, frozenset[RefundStep]]] = MappingProxyType(
    {
        RefundStep.SUBMITTING: frozenset(
            {RefundStep.UNKNOWN, RefundStep.PENDING, RefundStep.SUCCEEDED, RefundStep.FAILED}
        ),
        RefundStep.UNKNOWN: frozenset({RefundStep.PENDING, RefundStep.SUCCEEDED, RefundStep.FAILED}),
        RefundStep.PENDING: frozenset({RefundStep.SUCCEEDED, RefundStep.FAILED}),
        RefundStep.SUCCEEDED: frozenset(),
        RefundStep.FAILED: frozenset(),
    }
)

PUBLIC: Final[Mapping[RefundStep, RefundStatus]] = MappingProxyType(
    {
        RefundStep.SUBMITTING: RefundStatus.PENDING,
        RefundStep.UNKNOWN: RefundStatus.PENDING,
        RefundStep.PENDING: RefundStatus.PENDING,
        RefundStep.SUCCEEDED: RefundStatus.SUCCEEDED,
        RefundStep.FAILED: RefundStatus.FAILED,
    }
)


def may_move(step: RefundStep, to: RefundStep) -> bool:
    return to in TRANSITIONS[step]
