"""What may become of a fiscal document on its way to the authority and back.

    (none) ─▶ prepared ─▶ submitted ─▶ accepted ─▶ cancel_requested ─▶ cancel_pending ─▶ canceled
                 ▲            │  ▲         ▲               │                  │
                 │            ▼  │         │               └──────────────────┴──▶ cancel_rejected
                 └──────── unknown ────────┘
                              └──▶ rejected ─▶ (none), by a person's retry

`prepared` has its number and its bytes. `submitted` is written before anything is sent, so that a document that may
have left is never taken for one that has not: whoever finds it there asks the authority, and only its "I have no such
document" leads back to prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PREPARED: Final = "prepared"
SUBMITTED: Final = "submitted"
UNKNOWN: Final = "unknown"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
CANCEL_REQUESTED: Final = "cancel_requested"
CANCEL_PENDING: Final = "cancel_pending"
CANCELED: Final = "canceled"
CANCEL_REJECTED: Final = "cancel_rejected"

TRANSITIONS: Mapping[str | None, frozenset[str | None]] = MappingProxyType(
    {
        None: frozenset({PREPARED}),
        PREPARED: frozenset({SUBMITTED}),
        SUBMITTED: frozenset({PREPARED, UNKNOWN, ACCEPTED, REJECTED, SUBMITTED}),
        UNKNOWN: frozenset({PREPARED, SUBMITTED, ACCEPTED, REJECTED}),
        ACCEPTED: frozenset({CANCEL_REQUESTED, CANCELED}),
        REJECTED: frozenset({None}),
        CANCEL_REQUESTED: frozenset({CANCEL_PENDING, CANCELED, CANCEL_REJECTED}),
        CANCEL_PENDING: frozenset({CANCELED, CANCEL_REJECTED}),
        CANCEL_REJECTED: frozenset({CANCEL_REQUESTED, CANCELED}),
        CANCELED: frozenset(),
    }
)


def sources_of(target: str | None) -> frozenset[str | None]:
    """The states from which `target` may be reached."""
    return frozenset(source for source, targets in TRANSITIONS.items() if target in targets)
