"""The bodies Khipu takes, validated as strictly as it documents them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)

from twins.khipu.errors import invalid

Model = TypeVar("Model", bound=BaseModel)
Url = Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=1024)]
Short = Annotated[StrictStr, Field(max_length=255)]

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?", re.ASCII)
# How many decimals an amount may have.
DECIMALS = {"CLP": 0, "CLF": 4, "ARS": 2, "PEN": 2, "MXN": 2, "USD": 2, "EUR": 2, "BOB": 2, "COP": 2}


def _decimal(value: object) -> Decimal:
    """A JSON number, or text: Khipu documents the first, and clients send the second."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _DECIMAL.fullmatch(str(value)):
        raise ValueError("no amount")
    return Decimal(str(value))


Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Payment(_Request):
    amount: Amount
    currency: Literal["CLP", "CLF", "ARS", "PEN", "MXN", "USD", "EUR", "BOB", "COP"]
    subject: Annotated[StrictStr, Field(min_length=1, max_length=255)]
    transaction_id: Short | None = None
    custom: StrictStr | None = None
    body: StrictStr | None = None
    bank_id: Short | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None
    picture_url: Url | None = None
    notify_url: Url | None = None
    notify_api_version: Literal["1.3", "3.0"] | None = None
    expires_date: AwareDatetime | None = None
    send_email: StrictBool = False
    send_reminders: StrictBool = False
    payer_name: Short | None = None
    payer_email: Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=255)] | None = None
    responsible_user_email: Short | None = None
    fixed_payer_personal_identifier: Short | None = None
    mandatory_payment_method: Short | None = None
    confirm_timeout_date: AwareDatetime | None = None

    @model_validator(mode="after")
    def _fits(self) -> Payment:
        if not fits(self.amount, self.currency):
            raise ValueError(f"amount: {self.currency} tiene menos decimales")
        if (self.send_email or self.send_reminders) and not (self.payer_name and self.payer_email):
            raise ValueError("payer_email: send_email requiere payer_name y payer_email")
        return self


class Refund(_Request):
    """POST /v3/refunds. full takes what is left, and no amount."""

    type: Literal["full", "partial"]
    payment_id: Short
    amount: Amount | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Refund:
        if (self.type == "partial") != (self.amount is not None):
            raise ValueError("amount: solo se indica en una devolución parcial")
        return self


class PaymentRefund(_Request):
    """POST /v3/payments/{id}/refunds. Without an amount it is the whole payment."""

    amount: Amount | None = None


def fits(amount: Decimal, currency: str) -> bool:
    return -int(amount.normalize().as_tuple().exponent) <= DECIMALS[currency]


def read(shape: type[Model], body: Any) -> Model:
    """Raises ApiError 400 naming the first offending field."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field, _, problem = first["msg"].removeprefix("Value error, ").partition(": ")
    if first["loc"]:
        raise invalid(".".join(str(part) for part in first["loc"]), "no es válido")
    raise invalid(field if problem else "body", problem or "no es válido")
