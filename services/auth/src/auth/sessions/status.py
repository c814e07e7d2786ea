"""How a session ends."""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    TOKEN_REUSED = "token_reused"  # noqa: S105
