"""What a refund is to the outside (status), and what is still to be done for it (step).

PAYING_BACK ─▶ AWAITING_PROVIDER ─▶ RESTOCKING ─▶ DONE
     │  ╲____________│_________________▲   ▲       ▲
     ▼               ▼                 cash alone: one of these two at once
   FAILED ◀──────────┘

The provider goes first, because it may refuse: the cash part is handed out and the goods return only when its part is
certain. From RESTOCKING on the refund has SUCCEEDED, and nothing can undo it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RefundStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundOrigin(StrEnum):
    """PROVIDER: made in the provider's own back office, and found here by its event."""

    MERCHANT = "merchant"
    PROVIDER = "provider"


class RefundStep(StrEnum):
    PAYING_BACK = "PAYING_BACK"  # ask payments to give its part back
    AWAITING_PROVIDER = "AWAITING_PROVIDER"  # nothing, until payments tells, or is asked
    RESTOCKING = "RESTOCKING"  # the money is back: tell the catalogue of the goods
    DONE = "DONE"
    FAILED = "FAILED"


class RefundNote(StrEnum):
    """What a person should look at although the refund has succeeded."""

    RESTOCK_REFUSED = "restock_refused"


MOVES: Final[Mapping[RefundStep, frozenset[RefundStep]]] = MappingProxyType(
    {
        RefundStep.PAYING_BACK: frozenset(
            {RefundStep.AWAITING_PROVIDER, RefundStep.RESTOCKING, RefundStep.DONE, RefundStep.FAILED}
        ),
        RefundStep.AWAITING_PROVIDER: frozenset({RefundStep.RESTOCKING, RefundStep.DONE, RefundStep.FAILED}),
        RefundStep.RESTOCKING: frozenset({RefundStep.DONE}),
        RefundStep.DONE: frozenset(),
        RefundStep.FAILED: frozenset(),
    }
)

AT_REST: Final = frozenset({RefundStep.AWAITING_PROVIDER, RefundStep.DONE, RefundStep.FAILED})


class IllegalMove(Exception):
    """A step that no rule leads to: a bug of ours, never a client's mistake."""


def check_move(current: RefundStep, following: RefundStep) -> None:
    """Raises IllegalMove."""
    if following not in MOVES[current]:
        raise IllegalMove(f"{current} -> {following}")
