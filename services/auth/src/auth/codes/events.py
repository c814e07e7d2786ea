"""What others are told about one-time codes: never the code."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from contracts.events.auth import UserCodeRequested

from auth.codes.models import OneTimeCode


def requested(code: OneTimeCode, user_id: UUID) -> UserCodeRequested:
    return UserCodeRequested(
        aggregate_id=code.id,
        aggregate_version=1,
        user_id=user_id,
        channel=cast("Any", code.channel),
        purpose=cast("Any", code.purpose),
        expires_at=code.expires_at,
    )
