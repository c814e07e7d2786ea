"""The words of a session: what it is, what moves its cash, what may be odd about its closing."""

from __future__ import annotations

from enum import StrEnum


class SessionStatus(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class EntryKind(StrEnum):
    """OPENING: the float it began with. CLOSING: what counting found over (or, negative, under) what was expected."""

    OPENING = "OPENING"
    SALE = "SALE"
    REFUND = "REFUND"
    IN = "IN"
    OUT = "OUT"
    CLOSING = "CLOSING"


class MovementType(StrEnum):
    """The entries a person makes by hand."""

    IN = "IN"
    OUT = "OUT"


class ExceptionCode(StrEnum):
    """Why somebody should look at a session. None of them keeps it from being closed."""

    # The count differs from what was expected by more than the tolerance.
    DIFFERENCE = "DIFFERENCE"
    # More was taken out than the ledger knew to be there, at the end or at some moment.
    NEGATIVE_EXPECTED = "NEGATIVE_EXPECTED"
    # Sales of the session whose payment was still open.
    PENDING_SALES = "PENDING_SALES"
    # Numbered sales of a till of this drawer that had not come in.
    MISSING_SALES = "MISSING_SALES"


CASH = "CASH"
