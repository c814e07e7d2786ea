"""Requests and responses about users."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from chassis.auth import Role
from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import field_validator

from auth.fields import Email, Phone, refuse_null
from auth.passwords.policy import NewPassword
from auth.users.languages import Language


class KycLevel(StrEnum):
    """LEVEL_0 phone, LEVEL_1 identity document, LEVEL_2 tax information."""

    LEVEL_0 = "LEVEL_0"
    LEVEL_1 = "LEVEL_1"
    LEVEL_2 = "LEVEL_2"


class RegisterRequest(RequestModel):
    phone: Phone
    password: NewPassword
    email: Email | None = None
    first_name: Text | None = None
    last_name: Text | None = None


class ProfileChange(RequestModel):
    """null removes a value. The phone is who a user is, so it is not changed here. language: in which they are written
    to."""

    email: Email | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    language: Language = Language.SPANISH

    _required = field_validator("language", mode="before")(refuse_null)


class UserResponse(ResponseModel):
    id: UUID
    phone: str
    phone_verified: bool
    email: str | None
    email_verified: bool
    first_name: str | None
    last_name: str | None
    language: Language
    role: Role
    kyc_level: KycLevel
    created_at: UtcDatetime
    updated_at: UtcDatetime
