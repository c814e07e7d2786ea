"""How far someone has come into a business."""

from __future__ import annotations

from enum import StrEnum


class MemberStatus(StrEnum):
    """INVITED until whoever holds the phone has accepted."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
