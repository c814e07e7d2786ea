"""Khipu's JSON (API v3) as models: only the fields we read, each as loose as Khipu leaves it.

Amounts are decimal: a number in the documentation of GET /v3/payments/{id}, text with four decimals ("1000.0000") in
webhooks, refunds and what others have seen of the sandbox; both are read. Times are ISO 8601 with an offset, and empty
or absent before they are known. Unknown fields are ignored.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no decimal amount")
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("no decimal amount")
    return Decimal(text)


Amount = Annotated[Decimal, BeforeValidator(_exact)]
PaymentId = Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Addresses(_Wire):
    """Where a payment is paid; the whole answer to POST /v3/payments."""

    payment_id: PaymentId
    payment_url: StrictStr | None = None
    simplified_transfer_url: StrictStr | None = None
    transfer_url: StrictStr | None = None
    app_url: StrictStr | None = None


class Refund(_Wire):
    id: StrictStr = Field(min_length=1, max_length=100)
    status: StrictStr | None = None
    amount: Amount
    request_date: StrictStr | None = None


class Payment(Addresses):
    """refunds, total_refunded: of the newer API, and None where Khipu does not tell."""

    receiver_id: StrictInt | StrictStr | None = None
    amount: Amount
    currency: StrictStr
    status: StrictStr
    status_detail: StrictStr | None = None
    transaction_id: StrictStr | None = None
    custom: StrictStr | None = None
    conciliation_date: StrictStr | None = None
    expires_date: StrictStr | None = None
    refunds: tuple[Refund, ...] | None = None
    total_refunded: Amount | None = None


class Refunded(_Wire):
    """The answer to POST /v3/refunds."""

    id: StrictStr = Field(min_length=1, max_length=100)
    refunded_amount: Amount
    currency: StrictStr


class Message(_Wire):
    """The answer where there is nothing but a text for a person."""

    message: StrictStr | None = None


class ErrorField(_Wire):
    field: StrictStr | None = None


class Error(_Wire):
    """Not documented for v3; as others have met it."""

    code: StrictStr | StrictInt | None = None
    type: StrictStr | None = None
    message: StrictStr | None = None
    errors: tuple[ErrorField, ...] | None = None


class Notification(_Wire):
    """What a webhook brings: part of the payment. It names no kind of event, for there is but one."""

    payment_id: PaymentId
    transaction_id: StrictStr | None = Field(default=None, max_length=255)
    conciliation_date: StrictStr | None = Field(default=None, max_length=60)
    out_of_date_conciliation: StrictBool | None = None
