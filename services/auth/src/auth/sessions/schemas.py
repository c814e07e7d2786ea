"""Requests and responses about sessions."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from pydantic import Field, StringConstraints

from auth.fields import Phone
from auth.passwords.policy import GivenPassword
from auth.users.schemas import UserResponse

OpaqueToken = Annotated[str, StringConstraints(min_length=1, max_length=512), Field(repr=False)]


class LoginRequest(RequestModel):
    phone: Phone
    password: GivenPassword


class RefreshRequest(RequestModel):
    refresh_token: OpaqueToken


class TokenResponse(ResponseModel):
    """expires_in: seconds until the access token ends."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    user: UserResponse


class SessionResponse(ResponseModel):
    """One log-in on one device. address: from where it began. expires_at: when it ends unless it is used before."""

    id: UUID
    device: str | None
    address: str | None
    created_at: UtcDatetime
    last_used_at: UtcDatetime
    expires_at: UtcDatetime
    current: bool
