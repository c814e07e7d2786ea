"""Mercado Pago's JSON (Orders API v1) as models: only the fields we read, each as loose as they are left.

Amounts are decimal strings in major units, in some samples bare numbers; times ISO 8601 with up to nine decimals;
expiration_time an ISO 8601 duration from the creation on. Unknown fields are ignored.
Source: the official SDK's resources and examples, and copies of the QR guide (/docs/qr-code).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

Amount = Annotated[StrictStr | Decimal, Field(union_mode="left_to_right")]


def _text(value: Any) -> Any:
    """user_id comes as a string from orders and as a number from some other resources."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Payment(_Wire):
    id: StrictStr
    amount: Amount | None = None
    status: StrictStr | None = None
    status_detail: StrictStr | None = None


class Refund(_Wire):
    id: StrictStr
    transaction_id: StrictStr | None = None
    amount: Amount | None = None
    status: StrictStr | None = None


class Transactions(_Wire):
    payments: tuple[Payment, ...] | None = None
    refunds: tuple[Refund, ...] | None = None


class TypeResponse(_Wire):
    qr_data: StrictStr | None = None


class Order(_Wire):
    id: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    type: StrictStr | None = None
    external_reference: StrictStr | None = None
    total_amount: Amount
    currency: StrictStr | None = None
    country_code: StrictStr | None = None
    user_id: Annotated[str | None, BeforeValidator(_text)] = None
    status: StrictStr | None = None
    status_detail: StrictStr | None = None
    created_date: AwareDatetime | None = None
    last_updated_date: AwareDatetime | None = None
    expiration_time: StrictStr | None = None
    transactions: Transactions | None = None
    type_response: TypeResponse | None = None
    checkout_url: StrictStr | None = None


class ChangedOrder(_Wire):
    """What a refund or a cancellation answers: some fields of an order; the rest is read."""

    id: StrictStr
    status: StrictStr | None = None
    transactions: Transactions | None = None


class OrderSummary(_Wire):
    id: StrictStr
    external_reference: StrictStr | None = None


class Page(_Wire):
    data: tuple[OrderSummary, ...] | None = None


class ErrorEntry(_Wire):
    code: StrictStr | int | None = None
    details: tuple[Any, ...] | None = None


class Error(_Wire):
    """Orders answer `errors`; older resources `error` and `cause`."""

    errors: tuple[ErrorEntry, ...] = ()
    error: StrictStr | None = None
    cause: tuple[ErrorEntry, ...] | None = None


class NotificationData(_Wire):
    id: Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=100)]
    external_reference: StrictStr | None = None


class Notification(_Wire):
    type: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    action: Annotated[StrictStr, Field(min_length=1, max_length=100)] | None = None
    date_created: AwareDatetime | None = None
    data: NotificationData
