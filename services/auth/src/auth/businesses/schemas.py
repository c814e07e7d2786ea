"""Requests and responses about businesses."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from kernel import Country, Currency
from pydantic import StringConstraints, field_validator

from auth.fields import Email, Phone, PostalCode, TimeZone, Website, refuse_null

TaxId = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class BusinessRequest(RequestModel):
    """A whole business, for POST and PUT. The currency follows from the country; so does a time zone not given."""

    name: Text
    legal_name: Text | None = None
    tax_id: TaxId | None = None
    country: Country
    industry: Text | None = None
    address: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None
    email: Email | None = None
    website: Website | None = None
    time_zone: TimeZone | None = None
    is_active: bool = True


class BusinessChange(RequestModel):
    """Named fields only; null removes a value that may be absent."""

    name: Text | None = None
    legal_name: Text | None = None
    tax_id: TaxId | None = None
    country: Country | None = None
    industry: Text | None = None
    address: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None
    email: Email | None = None
    website: Website | None = None
    time_zone: TimeZone | None = None
    is_active: bool | None = None

    _required = field_validator("name", "country", "time_zone", "is_active", mode="before")(refuse_null)


class BusinessResponse(ResponseModel):
    id: UUID
    owner_id: UUID
    name: str
    legal_name: str | None
    tax_id: str | None
    country: Country
    currency: Currency
    industry: str | None
    address: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    phone: str | None
    email: str | None
    website: str | None
    time_zone: str
    is_active: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime
