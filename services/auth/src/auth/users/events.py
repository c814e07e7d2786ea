"""What others are told about users."""

from __future__ import annotations

from contracts.events.auth import UserDeleted, UserRegistered, UserUpdated

from auth.users.models import User


def registered(user: User) -> UserRegistered:
    return UserRegistered(aggregate_id=user.id, aggregate_version=user.version, role=user.role)


def updated(user: User, *changed: str) -> UserUpdated:
    """changed: names of fields, never their values."""
    return UserUpdated(
        aggregate_id=user.id,
        aggregate_version=user.version,
        role=user.role,
        kyc_level=user.kyc_level,
        changed=changed,
    )


def deleted(user: User) -> UserDeleted:
    return UserDeleted(aggregate_id=user.id, aggregate_version=user.version)
