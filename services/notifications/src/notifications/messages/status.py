"""What may become of a message."""

from __future__ import annotations

from enum import StrEnum


class NotificationStatus(StrEnum):
    """PENDING until the provider has taken it on (SENT) or it is given up (FAILED): then it stays, as a dead letter,
    until a person sends it again."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class StepKind(StrEnum):
    TRY = "TRY"
    REPORT = "REPORT"
    REDRIVE = "REDRIVE"
