"""PayU's JSON (API 4.0) as models: only the fields we read, each as loose as PayU leaves it.

Amounts are numbers in pesos, times epoch milliseconds. Unknown fields are ignored. Every answer says by `code`, not by
its HTTP status, whether the request was understood; a refused payment is a SUCCESS whose state is DECLINED.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

# Beyond year 9999 an epoch millisecond is no datetime any more.
EpochMs = Annotated[StrictInt, Field(ge=0, le=253_402_300_799_999)]

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no decimal amount")
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("no decimal amount")
    return Decimal(text)


def _listed(value: object) -> object:
    """One order where it was asked for by its id, a list where by our reference, nothing where there is none."""
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Amount(_Wire):
    value: Annotated[Decimal, BeforeValidator(_exact)]
    currency: StrictStr


class AdditionalValues(_Wire):
    tx_value: Amount | None = Field(default=None, alias="TX_VALUE")


class TransactionResponse(_Wire):
    """What a submission answers, and part of each transaction that is read."""

    order_id: StrictInt | None = Field(default=None, alias="orderId")
    transaction_id: StrictStr | None = Field(default=None, alias="transactionId")
    state: StrictStr
    response_code: StrictStr | None = Field(default=None, alias="responseCode")
    pending_reason: StrictStr | None = Field(default=None, alias="pendingReason")
    operation_date: EpochMs | None = Field(default=None, alias="operationDate")
    extra_parameters: dict[str, Any] | None = Field(default=None, alias="extraParameters")


class Transaction(_Wire):
    id: StrictStr = Field(min_length=1, max_length=100)
    type: StrictStr
    payment_method: StrictStr | None = Field(default=None, alias="paymentMethod")
    response: TransactionResponse | None = Field(default=None, alias="transactionResponse")
    additional_values: AdditionalValues | None = Field(default=None, alias="additionalValues")
    extra_parameters: dict[str, Any] | None = Field(default=None, alias="extraParameters")


class Order(_Wire):
    """transactions: newest first, refunds among them once they are decided."""

    id: StrictInt
    account_id: StrictInt | None = Field(default=None, alias="accountId")
    status: StrictStr | None = None
    reference_code: StrictStr | None = Field(default=None, alias="referenceCode")
    is_test: StrictBool | None = Field(default=None, alias="isTest")
    transactions: tuple[Transaction, ...] | None = None
    additional_values: AdditionalValues | None = Field(default=None, alias="additionalValues")


class Result(_Wire):
    payload: Annotated[tuple[Order, ...], BeforeValidator(_listed)] = ()


class Answer(_Wire):
    """code: SUCCESS or ERROR. error: a text for a person, which may quote what was sent."""

    code: StrictStr
    error: StrictStr | None = None


class Submitted(Answer):
    response: TransactionResponse | None = Field(default=None, alias="transactionResponse")


class Found(Answer):
    result: Result | None = None


class Bank(_Wire):
    description: StrictStr
    pse_code: StrictStr = Field(alias="pseCode")


class BankList(Answer):
    banks: tuple[Bank, ...] | None = None
