"""What others are told about users."""

from __future__ import annotations

from contracts.events.auth import UserRegistered

from auth.users.models import User


def registered(user: User) -> UserRegistered:
    return UserRegistered(aggregate_id=user.id, aggregate_version=user.version, role=user.role)
