"""The bodies the Orders API takes, as far as orders of a QR code and of Checkout Pro go."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

from twins.mercadopago import errors

Model = TypeVar("Model", bound=BaseModel)

_AMOUNT = re.compile(r"\d{1,12}(\.\d{2})?", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d{1,3})D)?(?:T(?=.)(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)


def _cents(value: Any) -> int:
    """A decimal string with two decimals or none, or a bare number, as both are in samples."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{Decimal(str(value)):f}"
        value = value if _AMOUNT.fullmatch(value) else f"{Decimal(value):.2f}"
    if not isinstance(value, str) or _AMOUNT.fullmatch(value) is None:
        raise ValueError("must be a decimal string with two decimals or none")
    return int(Decimal(value) * 100)


def _seconds(value: str) -> str:
    if _DURATION.fullmatch(value) is None:
        raise ValueError("must be an ISO 8601 duration")
    return value


Cents = Annotated[int, BeforeValidator(_cents), Field(gt=0)]
Url = Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=2000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Payment(_Request):
    amount: Cents


class Transactions(_Request):
    payments: Annotated[list[Payment], Field(min_length=1, max_length=1)]


class Qr(_Request):
    external_pos_id: Annotated[StrictStr, Field(min_length=1, max_length=40)]
    mode: Literal["static", "dynamic", "hybrid"] = "static"


class Online(_Request):
    success_url: Url | None = None
    failure_url: Url | None = None
    pending_url: Url | None = None
    auto_return: Literal["approved", "all"] | None = None


class Config(_Request):
    qr: Qr | None = None
    online: Online | None = None


class Item(_Request):
    title: Annotated[StrictStr, Field(min_length=1, max_length=150)]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    unit_price: Cents


class Payer(_Request):
    email: Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Order(_Request):
    type: Literal["qr", "online"]
    total_amount: Cents
    external_reference: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Annotated[StrictStr, Field(max_length=150)] | None = None
    processing_mode: Literal["automatic", "manual"] = "automatic"
    capture_mode: Literal["automatic", "manual"] | None = None
    expiration_time: Annotated[StrictStr, AfterValidator(_seconds)] | None = None
    transactions: Transactions | None = None
    items: Annotated[list[Item], Field(min_length=1, max_length=200)] | None = None
    payer: Payer | None = None
    config: Config = Config()


class RefundEntry(_Request):
    id: StrictStr
    amount: Cents


class RefundTransactions(_Request):
    transactions: Annotated[list[RefundEntry], Field(min_length=1, max_length=1)]


def seconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    assert found is not None, "was validated"
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def read(shape: type[Model], body: Any) -> Model:
    """Raises ApiError 400 naming the first offending property."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    raise errors.required(path) if first["type"] == "missing" else errors.invalid(path, first["msg"])
