"""Requests and responses of a register's sessions and movements."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from chassis.http.schemas import Amount, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import Field, StringConstraints, model_validator

from sales.cash_sessions.status import EntryKind, ExceptionCode, MovementType, SessionStatus

_Face = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}(\.[0-9]{1,2})?$")]
_Pieces = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Denominations = Annotated[
    dict[_Face, _Pieces],
    Field(max_length=40, description="Pieces by face value", examples=[{"500": 3, "20": 7, "0.50": 4}]),
]


class OpenIn(RequestModel):
    """What lies in the drawer at the beginning, as a sum or by denominations."""

    opening_cash: Amount | None = None
    denominations: Denominations | None = None

    @model_validator(mode="after")
    def _one(self) -> OpenIn:
        if (self.opening_cash is None) == (self.denominations is None):
            raise ValueError("give openingCash or denominations")
        return self


class CloseIn(RequestModel):
    """What was counted, as a sum or by denominations."""

    closing_cash: Amount | None = None
    denominations: Denominations | None = None
    notes: LongText | None = None

    @model_validator(mode="after")
    def _one(self) -> CloseIn:
        if (self.closing_cash is None) == (self.denominations is None):
            raise ValueError("give closingCash or denominations")
        return self


class ApproveIn(RequestModel):
    note: LongText | None = None


class MovementIn(RequestModel):
    """Cash put into the drawer (IN) or taken out (OUT), and why. amount: above zero."""

    type: MovementType
    amount: Amount
    reason: Text


class MovementOut(ResponseModel):
    """amount: as it was given, above zero. createdBy: who did it."""

    id: UUID
    cash_register_id: UUID
    session_id: UUID
    type: MovementType
    amount: str
    reason: str
    created_by: UUID
    created_at: UtcDatetime


class EntryOut(ResponseModel):
    """A line of the ledger. amount: signed. balance: the cash that should lie there after it; an entry of another
    method than CASH leaves it as it was. late: it came after the closing. reference: the sale's, the refund's, the
    movement's or the session's id. createdBy: the cashier."""

    id: UUID
    position: int
    kind: EntryKind
    method: str
    amount: str
    balance: str
    late: bool
    reference: UUID
    reason: str | None
    created_by: UUID
    created_at: UtcDatetime


class TotalOut(ResponseModel):
    """A sum over the ledger: the signed amount, and how many entries."""

    kind: EntryKind
    method: str
    cashier: UUID
    late: bool
    amount: str
    count: int


class ApprovalOut(ResponseModel):
    """difference: the one that was approved."""

    by: UUID
    at: UtcDatetime
    note: str | None
    difference: str


class ExceptionOut(ResponseModel):
    """What was odd at closing. DIFFERENCE: `amount` beyond `tolerance`. NEGATIVE_EXPECTED: `amount`, the least that was
    ever expected. PENDING_SALES: `count` of sales whose payment was open, up to 1,000. MISSING_SALES: `count` of sales
    that `till` has numbered and not sent."""

    code: ExceptionCode
    amount: str | None = None
    tolerance: str | None = None
    count: int | None = None
    till: str | None = None


class SessionOut(ResponseModel):
    """From opening a drawer to counting it.

    expectedCash: what should lie there; null to an employee while the session is open, for they count first.
    difference: closingCash - expectedCash, negative when cash is missing. lateCash: cash of sales and refunds that were
    sent after the closing; it lay in the drawer when it was counted, so adjustedDifference = difference - lateCash is
    what tolerance and approval go by. businessDay: the local day of the opening, for the whole session. totals: by
    kind, method and cashier; with a single session only, and hidden as expectedCash is.
    """

    id: UUID
    business_id: UUID
    branch_id: UUID
    cash_register_id: UUID
    cash_register_name: str
    status: SessionStatus
    currency: str
    business_day: date
    time_zone: str
    opened_at: UtcDatetime
    opened_by: UUID
    opening_cash: str
    opening_denominations: dict[str, int] | None
    expected_cash: str | None
    closed_at: UtcDatetime | None
    closed_by: UUID | None
    closing_cash: str | None
    closing_denominations: dict[str, int] | None
    difference: str | None
    late_cash: str
    adjusted_difference: str | None
    tolerance: str | None
    needs_approval: bool
    approvals: list[ApprovalOut]
    exceptions: list[ExceptionOut]
    notes: str | None
    totals: list[TotalOut] | None = None


def exceptions_out(stored: list[dict[str, Any]]) -> list[ExceptionOut]:
    return [ExceptionOut.model_validate(item) for item in stored]
