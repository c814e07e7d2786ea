"""How a session ends."""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    TOKEN_REUSED = "token_reused"  # noqa: S105
    REMOVED = "removed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    USER_DELETED = "user_deleted"
    ROLE_CHANGED = "role_changed"
