"""Requests and responses about members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from chassis.auth import BusinessRole
from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import AfterValidator, Field, field_validator

from auth.fields import Phone, refuse_null
from auth.members.status import MemberStatus

# Fewer than an access token has room for.
_BRANCHES = 50


def _distinct(ids: Iterable[UUID]) -> list[UUID]:
    return sorted(set(ids))


BranchIds = Annotated[list[UUID], Field(max_length=_BRANCHES), AfterValidator(_distinct)]


class MemberRequest(RequestModel):
    """An employee to be. Names not given are taken from their account once they accept."""

    phone: Phone
    first_name: Text | None = None
    last_name: Text | None = None
    branch_ids: BranchIds = Field(default_factory=list)


class MemberChange(RequestModel):
    """Named fields only; null removes a name."""

    first_name: Text | None = None
    last_name: Text | None = None
    branch_ids: BranchIds | None = None

    _required = field_validator("branch_ids", mode="before")(refuse_null)


class MemberResponse(ResponseModel):
    """user_id: once they have accepted. branch_ids: an employee's; an owner has all and lists none."""

    id: UUID
    business_id: UUID
    user_id: UUID | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    role: BusinessRole
    branch_ids: list[UUID]
    status: MemberStatus
    created_at: UtcDatetime
    updated_at: UtcDatetime
