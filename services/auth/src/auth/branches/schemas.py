"""Requests and responses about branches."""

from __future__ import annotations

from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import field_validator

from auth.fields import Phone, PostalCode, refuse_null


class BranchRequest(RequestModel):
    """A whole branch, for POST and PUT."""

    name: Text
    address: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None
    is_active: bool = True


class BranchChange(RequestModel):
    """Named fields only; null removes a value that may be absent."""

    name: Text | None = None
    address: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None
    is_active: bool | None = None

    _required = field_validator("name", "is_active", mode="before")(refuse_null)


class BranchResponse(ResponseModel):
    id: UUID
    business_id: UUID
    name: str
    address: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    phone: str | None
    is_active: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime
