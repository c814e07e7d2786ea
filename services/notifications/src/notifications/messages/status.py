"""What may become of a message."""

from __future__ import annotations

from enum import StrEnum


class NotificationStatus(StrEnum):
    """PENDING until the provider has taken it on (SENT) or it is given up (FAILED)."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"
