"""The life of a reservation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class ReservationStatus(StrEnum):
    """RESERVED → COMMITTED, or RESERVED → RELEASED, which alone can become RESERVED again (money that came late)."""

    RESERVED = "RESERVED"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"


def effective(status: ReservationStatus, expires_at: datetime | None, now: datetime) -> ReservationStatus:
    """What a reservation counts as: one whose time is over is released, whether or not its goods are back already."""
    if status is ReservationStatus.RESERVED and expires_at is not None and expires_at <= now:
        return ReservationStatus.RELEASED
    return status
