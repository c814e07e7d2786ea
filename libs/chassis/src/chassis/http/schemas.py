"""Request and response models: camelCase, nothing unknown accepted, money as decimal strings."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

T = TypeVar("T")


class RequestModel(BaseModel):
    """A body sent by a client: unknown fields are an error, not silence."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True, frozen=True
    )


class ResponseModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class Data(ResponseModel, Generic[T]):
    """{"data": …}"""

    data: T


class PageMeta(ResponseModel):
    """total counts up to 10,000 rows exactly; beyond that it says 10,000 and total_is_lower_bound is true."""

    total: int
    page: int
    limit: int
    total_pages: int
    next_cursor: str | None = None
    total_is_lower_bound: bool = False


class Page(ResponseModel, Generic[T]):
    """{"data": […], "meta": {…}}"""

    data: list[T]
    meta: PageMeta


class ErrorDetail(ResponseModel):
    field: str
    message: str


class ErrorBody(ResponseModel):
    """The one error form."""

    status_code: int
    message: str
    code: str
    errors: list[ErrorDetail] = []
    request_id: str


# Python's Decimal also reads "1_000", " 1 ", "١٢٣" and "1e2", each of which somebody else would read otherwise.
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _decimal(value: Any) -> Any:
    # A JSON number arrives as a float; its shortest text is what the client wrote, and the currency decides later
    # whether it carries too many decimals.
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError('must be a decimal string such as "150.50"')
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError('must be a decimal string such as "150.50"')
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > 32:
        raise ValueError("is too long for an amount")
    try:
        parsed = Decimal(text)
    except ArithmeticError:
        raise ValueError('must be a decimal string such as "150.50"') from None
    if not parsed.is_finite() or parsed.adjusted() > 15:
        raise ValueError("is out of range")
    return parsed


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["150.50"]}),
]
"""An amount of money in JSON; Money.of(amount, currency) then checks its decimals."""

UtcDatetime = Annotated[datetime, PlainSerializer(_utc, return_type=str)]
"""ISO 8601 in UTC with Z."""

# NUL cannot be stored in PostgreSQL text, and no control character belongs in a name.
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
LongText = Annotated[str, StringConstraints(max_length=2000, pattern=_PRINTABLE)]
