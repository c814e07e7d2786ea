"""Requests and responses of /sales/sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from chassis.http.schemas import Amount, ErrorDetail, LongText, RequestModel, ResponseModel
from pydantic import (
    AwareDatetime,
    Field,
    GetPydanticSchema,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from sales.sales.schemas import CustomerIn, DiscountIn, PaymentIn, SaleIn, SaleItemIn
from sales.sales.status import SaleStatus

MOST_SALES = 100

# What a till counts in: whole numbers that every language of tills can hold.
Sequence = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]


class OfflineSaleIn(RequestModel):
    """A sale as `POST /sales` takes it, paid in CASH, with what only the till knows.

    id: the till's own, the sale's from now on. soldAt: when the buyer left with the goods. sequence: the till's number
    for this sale, one more than the one before. total: what the till charged, before cash rounding.
    """

    id: UUID
    sold_at: AwareDatetime
    sequence: Sequence
    branch_id: UUID | None = None
    items: Annotated[list[SaleItemIn], Field(min_length=1, max_length=200)]
    discount: DiscountIn | None = None
    customer: CustomerIn | None = None
    notes: LongText | None = None
    payment: PaymentIn
    total: Annotated[Amount, Field(ge=0)] | None = None

    def sale(self, business_id: UUID, branch_id: UUID | None) -> SaleIn:
        return SaleIn(
            business_id=business_id,
            branch_id=self.branch_id or branch_id,
            items=self.items,
            discount=self.discount,
            customer=self.customer,
            notes=self.notes,
            payment=self.payment,
        )


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item that is no sale. It is answered as such, and stops nothing else. id: where that much can be read."""

    id: str | None
    errors: list[ErrorDetail]


def _leniently(value: Any, handler: Callable[[Any], OfflineSaleIn]) -> OfflineSaleIn | Malformed:
    try:
        return handler(value)
    except ValidationError as error:
        found = [
            ErrorDetail(
                field=".".join(to_camel(part) if isinstance(part, str) else str(part) for part in item["loc"]),
                message=item["msg"].removeprefix("Value error, "),
            )
            for item in error.errors(include_url=False, include_context=False, include_input=False)[:20]
        ]
        return Malformed(_id_of(value), found)


def _id_of(value: Any) -> str | None:
    try:
        return str(UUID(value["id"]))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


Offered = Annotated[
    OfflineSaleIn | Malformed,
    GetPydanticSchema(
        lambda _, handler: core_schema.no_info_wrap_validator_function(
            _leniently, handler.generate_schema(OfflineSaleIn)
        )
    ),
]


class SyncIn(RequestModel):
    """What a till has sold. deviceId: what it calls itself. branchId: for sales that name none. lastSequence: the
    highest number it has given out, sent here or not, so that what is still missing can be told."""

    business_id: UUID
    branch_id: UUID | None = None
    device_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    last_sequence: Sequence | None = None
    sales: Annotated[list[Offered], Field(max_length=MOST_SALES)]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.sales and self.last_sequence is None:
            raise ValueError("give sales or lastSequence")
        return self


class Outcome(StrEnum):
    """accepted: in the books, by this call. duplicate: in the books, by an earlier one. pending: kept, and carried on
    by itself; sent again, it tells how it ended. rejected: not in the books; code says why."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    PENDING = "pending"
    REJECTED = "rejected"


class SyncedOut(ResponseModel):
    """What became of one sale. statusCode, code, message and errors are those that `POST /sales` would have answered.
    total: by the catalogue's prices at soldAt. difference: what the till charged beyond that, negative when it charged
    less; null where it did not say. cashSessionId: the drawer it belongs to."""

    id: str | None
    sequence: int | None = None
    result: Outcome
    status_code: int
    status: SaleStatus | None = None
    total: str | None = None
    difference: str | None = None
    cash_session_id: UUID | None = None
    code: str | None = None
    message: str | None = None
    errors: list[ErrorDetail] = Field(default_factory=list)


class SyncOut(ResponseModel):
    """results: one per sale, in their order."""

    accepted: int
    duplicate: int
    pending: int
    rejected: int
    results: list[SyncedOut]
