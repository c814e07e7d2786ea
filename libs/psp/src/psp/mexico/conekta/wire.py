"""Conekta's JSON (API 2.3.0) as models: only the fields we read, each as loose as Conekta leaves it.

Amounts are integer centavos, times epoch seconds. Unknown fields are ignored. A refund's amount is negative.
Source: conekta/openapi, schemas/orders and mocks; Conekta declares no enum for a status, so none is assumed here.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

Item = TypeVar("Item")
# Beyond year 9999 an epoch second is no datetime any more.
Epoch = Annotated[StrictInt, Field(ge=0, le=253_402_300_799)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Page(_Wire, Generic[Item]):
    data: tuple[Item, ...] | None = None
    has_more: StrictBool = False

    @property
    def items(self) -> tuple[Item, ...]:
        return self.data or ()


class Refund(_Wire):
    id: StrictStr
    amount: StrictInt
    created_at: Epoch | None = None
    status: StrictStr | None = None


class ChargePaymentMethod(_Wire):
    type: StrictStr | None = None
    clabe: StrictStr | None = None
    bank: StrictStr | None = None
    receiving_account_bank: StrictStr | None = None
    reference_number: StrictStr | None = None
    expires_at: Epoch | None = None


class Charge(_Wire):
    id: StrictStr
    status: StrictStr | None = None
    amount: StrictInt | None = None
    order_id: StrictStr | None = None
    reference_id: StrictStr | None = None
    paid_at: Epoch | None = None
    failure_code: StrictStr | None = None
    payment_method: ChargePaymentMethod | None = None
    refunds: Page[Refund] | None = None


class Checkout(_Wire):
    id: StrictStr
    status: StrictStr | None = None
    url: StrictStr | None = None
    expires_at: Epoch | None = None


class Order(_Wire):
    id: StrictStr
    amount: StrictInt
    currency: StrictStr
    payment_status: StrictStr | None = None
    livemode: StrictBool | None = None
    amount_refunded: StrictInt | None = None
    created_at: Epoch | None = None
    metadata: dict[str, Any] | None = None
    charges: Page[Charge] | None = None
    checkout: Checkout | None = None


class ErrorDetail(_Wire):
    code: StrictStr | None = None
    param: StrictStr | None = None
    message: StrictStr | None = None
    debug_message: StrictStr | None = None


class Error(_Wire):
    type: StrictStr | None = None
    log_id: StrictStr | None = None
    details: tuple[ErrorDetail, ...] = ()


class EventResource(_Wire):
    """The order or charge an event is about, at data.object."""

    id: StrictStr
    object: StrictStr
    order_id: StrictStr | None = None
    reference_id: StrictStr | None = None
    metadata: dict[str, Any] | None = None


class Event(_Wire):
    id: StrictStr = Field(min_length=1, max_length=200)
    type: StrictStr = Field(min_length=1, max_length=200)
    created_at: Epoch
    data: dict[str, Any]
