"""The bodies and the form PayU takes, validated as it documents them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError

from twins.payu.errors import invalid
from twins.payu.settings import PayuTwinSettings
from twins.payu.signing import DIGESTS, digest

Model = TypeVar("Model", bound=BaseModel)

BOGOTA = timezone(timedelta(hours=-5))
# Those of the real list; the first line of it is no bank.
BANKS = {
    "0": "A CONTINUACIÓN SELECCIONE SU BANCO",
    "1007": "BANCOLOMBIA",
    "1051": "BANCO DAVIVIENDA",
    "1022": "BANCO UNION COLOMBIANO",
    "1507": "NEQUI",
}

_DECIMAL = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?", re.ASCII)


def _decimal(value: object) -> Decimal:
    """A JSON number, or text: PayU's examples have both."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _DECIMAL.fullmatch(str(value)):
        raise ValueError("no amount")
    return Decimal(str(value))


Value = Annotated[Decimal, BeforeValidator(_decimal)]
Text = Annotated[StrictStr, Field(min_length=1, max_length=255)]
Email = Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=255)]
Digits = Annotated[str, BeforeValidator(str), Field(pattern=r"^[0-9]{1,18}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Amount(_Request):
    value: Value
    currency: Literal["COP"]


class Values(_Request):
    tx_value: Amount = Field(alias="TX_VALUE")
    tx_tax: Amount | None = Field(default=None, alias="TX_TAX")
    tx_tax_return_base: Amount | None = Field(default=None, alias="TX_TAX_RETURN_BASE")


class Person(_Request):
    fullName: Annotated[StrictStr, Field(min_length=1, max_length=150)]
    emailAddress: Email
    contactPhone: Annotated[StrictStr, Field(min_length=1, max_length=20)]


class NewOrder(_Request):
    accountId: Digits
    referenceCode: Text
    description: Text
    language: Literal["es", "en", "pt"]
    signature: StrictStr
    notifyUrl: Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=2048)] | None = None
    additionalValues: Values
    buyer: Person


class PseParameters(_Request):
    RESPONSE_URL: Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=255)]
    PSE_REFERENCE1: Text
    FINANCIAL_INSTITUTION_CODE: Text
    USER_TYPE: Literal["N", "J"]
    PSE_REFERENCE2: Literal["CC", "CE", "NIT", "TI", "PP", "IDC", "CEL", "RC", "DE"]
    PSE_REFERENCE3: Annotated[StrictStr, Field(min_length=1, max_length=20)]


class PsePayment(_Request):
    order: NewOrder
    payer: Person
    extraParameters: PseParameters
    type: Literal["AUTHORIZATION_AND_CAPTURE"]
    paymentMethod: Literal["PSE"]
    paymentCountry: Literal["CO"]
    deviceSessionId: Text
    ipAddress: Text
    cookie: Text
    userAgent: Annotated[StrictStr, Field(min_length=1, max_length=1024)]


class OrderId(_Request):
    id: Digits


class Refund(_Request):
    order: OrderId
    type: Literal["REFUND", "PARTIAL_REFUND"]
    parentTransactionId: Text
    reason: Text
    additionalValues: Values | None = None


class Checkout(_Request):
    """The form of WebCheckout. PayU's own example leaves out telephone and buyerFullName."""

    merchantId: Digits
    accountId: Digits
    description: Text
    referenceCode: Text
    amount: Value
    tax: Value
    taxReturnBase: Value
    currency: Literal["COP"]
    signature: StrictStr
    algorithmSignature: Literal["MD5", "SHA", "SHA256"] = "MD5"
    test: Literal["0", "1"] = "0"
    buyerEmail: Email
    telephone: Annotated[StrictStr, Field(max_length=20)] = ""
    buyerFullName: Annotated[StrictStr, Field(max_length=150)] = ""
    responseUrl: Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=255)] | None = None
    confirmationUrl: Annotated[StrictStr, Field(pattern=r"^https?://\S+$", max_length=2048)] | None = None
    paymentMethods: StrictStr | None = None
    expirationDate: Annotated[StrictStr, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")] | None = None

    @property
    def expires_at(self) -> float | None:
        if self.expirationDate is None:
            return None
        return datetime.strptime(self.expirationDate, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BOGOTA).timestamp()


def read(shape: type[Model], body: Any) -> Model:
    """Raises ApiError naming the first offending field."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    raise invalid(".".join(str(part) for part in first["loc"]) or "transaction", "no es válido")


def read_payment(body: Any, settings: PayuTwinSettings) -> PsePayment:
    payment = read(PsePayment, body)
    amount = payment.order.additionalValues.tx_value
    sent = body["order"]["additionalValues"]["TX_VALUE"]["value"]
    if amount.value != amount.value.to_integral_value() or amount.value <= 0:
        raise invalid("order.additionalValues.TX_VALUE", "PSE no admite decimales")
    if payment.extraParameters.FINANCIAL_INSTITUTION_CODE not in BANKS.keys() - {"0"}:
        raise invalid("extraParameters.FINANCIAL_INSTITUTION_CODE", "no es un banco")
    if payment.order.accountId != str(settings.account_id):
        raise invalid("order.accountId", "no es una cuenta del comercio")
    signed = (str(settings.merchant_id), payment.order.referenceCode, str(sent), amount.currency)
    _check_signature(payment.order.signature, signed, settings, "md5", "sha1", "sha256")
    return payment


def read_checkout(fields: Mapping[str, str], settings: PayuTwinSettings) -> Checkout:
    """Raises ApiError."""
    form = read(Checkout, fields)
    if (form.merchantId, form.accountId) != (str(settings.merchant_id), str(settings.account_id)):
        raise invalid("merchantId", "no es un comercio")
    if form.amount <= 0:
        raise invalid("amount", "debe ser mayor que cero")
    signed = [form.merchantId, form.referenceCode, fields["amount"], form.currency]
    signed += [form.paymentMethods] if form.paymentMethods else []
    _check_signature(form.signature, signed, settings, DIGESTS[form.algorithmSignature])
    return form


def _check_signature(given: str, parts: Any, settings: PayuTwinSettings, *kinds: Any) -> None:
    key = settings.api_key.get_secret_value()
    if not any(hmac.compare_digest(digest(kind, key, *parts), given) for kind in kinds if given.isascii()):
        raise invalid("signature", "la firma no es válida")
