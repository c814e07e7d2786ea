"""What others are told about passwords: that there is a new one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from contracts.events.auth import UserPasswordChanged

from auth.users.models import User


def changed(user: User, reason: Literal["change", "reset"], at: datetime) -> UserPasswordChanged:
    return UserPasswordChanged(aggregate_id=user.id, aggregate_version=user.version, reason=reason, changed_at=at)
