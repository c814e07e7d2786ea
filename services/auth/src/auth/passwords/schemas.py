"""Requests and responses about passwords."""

from __future__ import annotations

from typing import Self

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from pydantic import model_validator

from auth.codes.rules import Channel
from auth.codes.schemas import GivenCode
from auth.fields import Email, Phone
from auth.passwords.policy import GivenPassword, NewPassword


class _OfSomebody(RequestModel):
    """How people who are not logged in name themselves."""

    phone: Phone | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.phone is None) == (self.email is None):
            raise ValueError("give either phone or email")
        return self


class ForgotRequest(_OfSomebody):
    """channel: where the code is sent; without it, to the phone or e-mail address that was given."""

    channel: Channel | None = None


class ResetRequest(_OfSomebody):
    """phone or email: the one with which the code was asked for."""

    code: GivenCode
    new_password: NewPassword


class ChangeRequest(RequestModel):
    current_password: GivenPassword
    new_password: NewPassword


class PasswordChangedResponse(ResponseModel):
    changed_at: UtcDatetime
