"""The bodies Conekta takes, validated as strictly as it documents them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError, field_validator

from twins.conekta.errors import invalid

Model = TypeVar("Model", bound=BaseModel)
Centavos = Annotated[StrictInt, Field(gt=0, le=99_999_999_999)]
Url = Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=2000)]

# Conekta refuses endpoints on the caller's own machine.
_OWN_MACHINE = re.compile(r"https?://(localhost|127\.0\.0\.1)([:/]|$)")


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class CustomerInfo(_Request):
    customer_id: StrictStr | None = None
    name: Annotated[StrictStr, Field(min_length=1, max_length=250)] | None = None
    email: Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=250)] | None = None
    phone: Annotated[StrictStr, Field(pattern=r"^\+?[0-9 ()-]{8,20}$")] | None = None


class LineItem(_Request):
    name: Annotated[StrictStr, Field(min_length=1, max_length=250)]
    unit_price: Annotated[StrictInt, Field(ge=0, le=99_999_999_999)]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    description: Annotated[StrictStr, Field(max_length=250)] | None = None
    metadata: dict[str, Any] | None = None


class ChargeMethod(_Request):
    type: Literal["spei"]
    expires_at: StrictInt | None = None


class Charge(_Request):
    amount: Centavos | None = None
    payment_method: ChargeMethod
    reference_id: Annotated[StrictStr, Field(max_length=250)] | None = None


class Checkout(_Request):
    type: Literal["HostedPayment", "Integration"]
    name: Annotated[StrictStr, Field(max_length=250)] | None = None
    allowed_payment_methods: (
        list[Literal["cash", "card", "bank_transfer", "bnpl", "pay_by_bank", "apple", "google"]] | None
    ) = None
    expires_at: StrictInt | None = None
    success_url: Url | None = None
    failure_url: Url | None = None


class Order(_Request):
    currency: Literal["MXN", "USD"]
    customer_info: CustomerInfo
    line_items: Annotated[list[LineItem], Field(min_length=1, max_length=200)]
    charges: Annotated[list[Charge], Field(max_length=1)] | None = None
    checkout: Checkout | None = None
    metadata: dict[str, Any] | None = None

    @property
    def amount(self) -> int:
        return sum(item.unit_price * item.quantity for item in self.line_items)


class Refund(_Request):
    amount: Centavos
    reason: Annotated[StrictStr, Field(min_length=1, max_length=250)]


class Webhook(_Request):
    url: Url
    subscribed_events: list[StrictStr] | None = None

    @field_validator("url")
    @classmethod
    def _not_here(cls, value: str) -> str:
        if _OWN_MACHINE.match(value):
            raise ValueError("the address of the caller's own machine")
        return value


class WebhookKey(_Request):
    active: StrictBool = True


class Resend(_Request):
    webhooks_ids: list[StrictStr] | None = None


def read(shape: type[Model], body: Any) -> Model:
    """Raises ApiError 422 naming the first offending parameter."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    param = ".".join(str(part) for part in first["loc"]) or "body"
    raise invalid(param, first["type"], f"El parámetro {param} no es válido: {first['msg']}")
