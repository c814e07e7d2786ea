"""Requests and responses about one-time codes."""

from __future__ import annotations

from typing import Annotated

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from pydantic import Field, StringConstraints

from auth.codes.derivation import DIGITS
from auth.codes.rules import Channel

GivenCode = Annotated[
    str,
    StringConstraints(pattern=rf"^[0-9]{{{DIGITS}}}$"),
    Field(repr=False, json_schema_extra={"examples": ["042917"]}),
]


class VerificationRequest(RequestModel):
    channel: Channel


class ConfirmationRequest(RequestModel):
    channel: Channel
    code: GivenCode


class CodeSentResponse(ResponseModel):
    """expires_at: when the code stops working. resend_after: when the next one may be asked for."""

    channel: Channel
    expires_at: UtcDatetime
    resend_after: UtcDatetime
