"""What can become of a delivery, and of one try."""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """PENDING: there is a try to come, or one under way. FAILED: all tries of the schedule failed. SKIPPED: its
    endpoint was switched off before it was delivered."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class Outcome(StrEnum):
    """REFUSED: we do not connect there. UNREACHABLE: no connection. NO_ANSWER: a connection, and no complete answer."""

    DELIVERED = "delivered"
    REJECTED = "rejected"
    GONE = "gone"
    REDIRECTED = "redirected"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
