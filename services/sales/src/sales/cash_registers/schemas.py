"""Requests and responses of /cash-registers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.schemas import Amount, RequestModel, ResponseModel, UtcDatetime
from chassis.http.schemas import Text as PlainText
from pydantic import AfterValidator, Field

from sales.cash_sessions.status import SessionStatus


def _name(value: str) -> str:
    if len(value) > 80:
        raise ValueError("must have at most 80 characters")
    return " ".join(value.split())


Name = Annotated[PlainText, AfterValidator(_name)]
_TOLERANCE = "What a count may differ by without the owner's approval; null for the country's usual"


class RegisterIn(RequestModel):
    """branchId: the business's first branch where none is named."""

    business_id: UUID
    branch_id: UUID | None = None
    name: Name
    tolerance: Annotated[Amount | None, Field(description=_TOLERANCE)] = None


class RegisterPatch(RequestModel):
    """What is named is changed."""

    name: Name | None = None
    tolerance: Annotated[Amount | None, Field(description=_TOLERANCE)] = None


class RegisterOut(ResponseModel):
    """A drawer, with its present session while it is OPEN, its last one afterwards; all null before the first.
    expectedCash is null to an employee while it is open, for they count first."""

    id: UUID
    business_id: UUID
    branch_id: UUID
    name: str
    currency: str
    status: SessionStatus
    tolerance: str | None
    session_id: UUID | None
    opened_at: UtcDatetime | None
    closed_at: UtcDatetime | None
    opening_cash: str | None
    closing_cash: str | None
    expected_cash: str | None
    difference: str | None
    needs_approval: bool
    notes: str | None
    created_at: UtcDatetime
    updated_at: UtcDatetime
