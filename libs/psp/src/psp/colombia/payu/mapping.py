"""Between our words and PayU's: amounts, signatures, statuses, bodies. Pure: wire samples in, values out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, Self

from kernel import Currency, Money, MoneyError
from kernel.money import parse_currency

from psp.colombia.payu import wire
from psp.colombia.payu.settings import Digest, PayuSettings
from psp.provider import (
    CheckoutForm,
    FailureReason,
    FetchedPayment,
    Instructions,
    IntentRequest,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    ProviderError,
    ProviderNotConfigured,
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
)

NAME: Final = "payu"
BOGOTA: Final = timezone(timedelta(hours=-5))

# Of a transaction. Only these five are documented.
STATES: Final[dict[str, tuple[ProviderStatus, FailureReason | None]]] = {
    "APPROVED": (ProviderStatus.CONFIRMED, None),
    "PENDING": (ProviderStatus.PENDING, None),
    "DECLINED": (ProviderStatus.FAILED, FailureReason.DECLINED),
    "ERROR": (ProviderStatus.FAILED, FailureReason.DECLINED),
    "EXPIRED": (ProviderStatus.FAILED, FailureReason.EXPIRED),
}
REFUND_STATES: Final[dict[str, RefundStatus]] = {
    "APPROVED": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "DECLINED": RefundStatus.FAILED,
    "ERROR": RefundStatus.FAILED,
    "EXPIRED": RefundStatus.FAILED,
}
REFUNDED: Final = "REFUNDED"
CHARGES: Final = frozenset({"AUTHORIZATION_AND_CAPTURE", "CAPTURE"})
REFUNDS: Final = frozenset({"REFUND", "PARTIAL_REFUND"})

# PayU turns down every refund of these: it gives money back to cards alone.
NOT_CARDS: Final = frozenset({"PSE", "EFECTY", "BALOTO", "SURED", "OTHERS_CASH", "BANK_REFERENCED", "BANCO_DE_BOGOTA"})

DOCUMENT_KINDS: Final = frozenset({"CC", "CE", "NIT", "TI", "PP", "IDC", "CEL", "RC", "DE"})
MIN_REFUND: Final = Money.of(100, Currency.COP)

_DIGEST_NAMES: Final = {Digest.MD5: "MD5", Digest.SHA1: "SHA", Digest.SHA256: "SHA256"}
_MAX_PAGE_URL: Final = 1024
_FORM_REF = re.compile(
    r"form:(QR_DYNAMIC|PAYMENT_LINK):([0-9a-f-]{36}):([1-9][0-9]{0,14}):([0-9]{1,11}):(https?://.{1,1024})", re.ASCII
)
_REFUND_REF = re.compile(r"([1-9][0-9]{0,3})\.([1-9][0-9]{0,14})", re.ASCII)

# PayU tells what went wrong in a sentence, in the language of the request, and publishes no list of codes.
_CREDENTIALS = re.compile(r"credential|credencial|api ?(key|login)", re.IGNORECASE)
_ABSENT = re.compile(r"not exist|no existe|not found|no (se )?encontr", re.IGNORECASE)
_UNDER_WAY = re.compile(r"en proceso|in process|already|ya (se encuentra|est|fue)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """A payment that PayU learns of when the buyer posts its form, and what has to be known of it until then."""

    method: PaymentMethod
    reference: str
    amount: Money
    expires_at: datetime
    page_url: str

    @classmethod
    def of(cls, request: IntentRequest) -> Self:
        """Raises ProviderRejected."""
        page_url = request.page_url or ""
        if len(page_url) > _MAX_PAGE_URL or not page_url.startswith(("https://", "http://")):
            raise ProviderRejected(NAME, "unusable_page_url", param="page_url")
        expires_at = request.expires_at.replace(microsecond=0)
        return cls(request.method, str(request.reference), request.amount, expires_at, page_url)

    @classmethod
    def read(cls, provider_ref: str) -> Self:
        """Raises ValueError for what is no reference of a form."""
        match = _FORM_REF.fullmatch(provider_ref)
        if match is None:
            raise ValueError("no form")
        method, reference, minor, epoch, page_url = match.groups()
        expires_at = datetime.fromtimestamp(int(epoch), UTC)
        return cls(PaymentMethod(method), reference, Money(int(minor), Currency.COP), expires_at, page_url)

    @property
    def provider_ref(self) -> str:
        epoch = int(self.expires_at.timestamp())
        return f"form:{self.method.value}:{self.reference}:{self.amount.minor}:{epoch}:{self.page_url}"

    @property
    def instructions(self) -> Instructions:
        if self.method is PaymentMethod.QR_DYNAMIC:
            return PayByQr(self.page_url, native=False)
        return PayByLink(self.page_url)


def checkout_form(request: IntentRequest, settings: PayuSettings, api_key: str, now: datetime) -> CheckoutForm:
    """The form of WebCheckout. Raises ProviderRejected once the time is over."""
    if now >= request.expires_at:
        raise ProviderRejected(NAME, "expired", param="expires_at")
    amount, currency = amount_text(request.amount), request.amount.currency.value
    methods = ",".join(settings.payment_methods)
    signed = [settings.merchant_id or "", str(request.reference), amount, currency, *([methods] if methods else [])]
    fields = {
        "merchantId": settings.merchant_id,
        "accountId": settings.account_id,
        "description": _description(request),
        "referenceCode": str(request.reference),
        "amount": amount,
        # What is in the amount is said on our own invoice. Both zero means here that PayU is to work out nothing.
        "tax": "0",
        "taxReturnBase": "0",
        "currency": currency,
        "signature": signature(api_key, signed, settings.signature_digest),
        "algorithmSignature": _DIGEST_NAMES[settings.signature_digest],
        "test": "1" if settings.test else "0",
        "lng": "es",
        "buyerEmail": (request.customer.email or settings.anonymous_email)[:255],
        "buyerFullName": (request.customer.name or settings.anonymous_name)[:150],
        "telephone": _phone(request.customer.phone or settings.anonymous_phone),
        "expirationDate": request.expires_at.astimezone(BOGOTA).strftime("%Y-%m-%d %H:%M:%S"),
        "paymentMethods": methods,
        "responseUrl": settings.response_url,
        "confirmationUrl": settings.notify_url,
    }
    return CheckoutForm(settings.checkout_url, {name: value for name, value in fields.items() if value})


def transfer_body(request: IntentRequest, settings: PayuSettings, api_key: str) -> dict[str, Any]:
    """The transaction of a PSE payment. Raises ProviderRejected for a document PSE does not know."""
    customer, device, document = request.customer, request.device, request.customer.document
    if document is None or device is None or document.kind.upper() not in DOCUMENT_KINDS:
        raise ProviderRejected(NAME, "unknown_document_kind", param="customer.document")
    response_url = settings.response_url or request.page_url
    if response_url is None:
        raise ProviderNotConfigured(NAME, "response_url_missing", "PSE sends the buyer back to a page")
    reference, currency = str(request.reference), request.amount.currency.value
    signed = [settings.merchant_id or "", reference, amount_text(request.amount), currency]
    person = {
        "fullName": (customer.name or "")[:150],
        "emailAddress": (customer.email or "")[:255],
        "contactPhone": _phone(customer.phone or ""),
        "dniNumber": document.number[:20],
    }
    nothing = {"value": 0, "currency": currency}
    return {
        "order": {
            "accountId": settings.account_id,
            "referenceCode": reference,
            "description": _description(request),
            "language": "es",
            "signature": signature(api_key, signed, settings.signature_digest),
            **({"notifyUrl": settings.notify_url} if settings.notify_url else {}),
            "additionalValues": {
                "TX_VALUE": {"value": _whole_pesos(request.amount), "currency": currency},
                "TX_TAX": nothing,
                "TX_TAX_RETURN_BASE": nothing,
            },
            "buyer": person,
        },
        "payer": person,
        "extraParameters": {
            "RESPONSE_URL": response_url,
            "PSE_REFERENCE1": device.ip_address,
            "FINANCIAL_INSTITUTION_CODE": request.bank,
            "USER_TYPE": "J" if customer.is_company else "N",
            "PSE_REFERENCE2": document.kind.upper(),
            "PSE_REFERENCE3": document.number,
        },
        "type": "AUTHORIZATION_AND_CAPTURE",
        "paymentMethod": "PSE",
        "paymentCountry": "CO",
        "deviceSessionId": device.session_id,
        "ipAddress": device.ip_address,
        "cookie": device.cookie,
        "userAgent": device.user_agent,
    }


def refund_body(request: RefundRequest, order: wire.Order, charge: wire.Transaction, *, whole: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "order": {"id": str(order.id)},
        "type": "REFUND" if whole else "PARTIAL_REFUND",
        "reason": (request.reason or "Devolución solicitada por el comercio")[:255],
        "parentTransactionId": charge.id,
    }
    if not whole:
        # As text, which is how PayU's own example has it.
        value = {"value": amount_text(request.amount), "currency": request.amount.currency.value}
        body["additionalValues"] = {"TX_VALUE": value}
    return body


def fetched(order: wire.Order, settings: PayuSettings) -> FetchedPayment:
    """Raises ValueError where an amount or currency is none of ours."""
    charges = [entry for entry in order.transactions or () if entry.type in CHARGES]
    paid = paid_charge(order)
    # An attempt that may still succeed counts before those that have failed, the newest of these before the others.
    open_ones = [entry for entry in charges if entry.response is None or not _has_failed(entry.response)]
    deciding = paid or next(iter([*open_ones, *charges]), None)
    amount = _amount(deciding, order)
    refunds = refunds_of(order, amount)
    status, reason, unlisted = _status(order, paid, deciding, settings)
    back = sum(refund.amount.minor for refund in refunds if refund.status is RefundStatus.SUCCEEDED)
    if status is ProviderStatus.CONFIRMED and back:
        status = ProviderStatus.REFUNDED if back >= amount.minor else ProviderStatus.PARTIALLY_REFUNDED
    response = deciding.response if deciding else None
    words = (order.status, response.state if response else None)
    return FetchedPayment(
        provider=NAME,
        provider_ref=str(order.id),
        our_reference=order.reference_code or None,
        amount=amount,
        status=status,
        failure_reason=reason,
        refunded=amount if status is ProviderStatus.REFUNDED else Money(back, amount.currency),
        live=None if order.is_test is None else not order.is_test,
        account=None if order.account_id is None else str(order.account_id),
        status_text="/".join(word for word in words if word) or None,
        unlisted=unlisted,
        failure_detail=response.response_code if response and reason is not None else None,
        instructions=_transfer(deciding) if deciding else None,
        paid_at=_instant(paid.response.operation_date) if paid and paid.response else None,
        refunds=refunds,
    )


def unvisited(form: Form, settings: PayuSettings) -> FetchedPayment:
    """A payment whose form nobody has posted yet."""
    return FetchedPayment(
        provider=NAME,
        provider_ref=form.provider_ref,
        our_reference=form.reference,
        amount=form.amount,
        status=ProviderStatus.PENDING,
        failure_reason=None,
        refunded=Money.zero(form.amount.currency),
        live=settings.livemode,
        account=settings.account_id,
        instructions=form.instructions,
        expires_at=form.expires_at,
    )


def paid_charge(order: wire.Order) -> wire.Transaction | None:
    """An attempt that was turned down and one that was approved may stand in the same order."""
    return next(
        (
            entry
            for entry in order.transactions or ()
            if entry.type in CHARGES and entry.response is not None and entry.response.state == "APPROVED"
        ),
        None,
    )


def refunds_of(order: wire.Order, amount: Money) -> tuple[ProviderRefund, ...]:
    """Oldest first. PayU gives a refund no id before it is decided, and takes no second one before that: what tells
    them apart from the beginning is which one of the order it is.
    """
    entries = [entry for entry in reversed(order.transactions or ()) if entry.type in REFUNDS]
    refunds: list[ProviderRefund] = []
    for position, entry in enumerate(entries, start=1):
        state = entry.response.state if entry.response else ""
        left = amount.minor - sum(other.amount.minor for other in refunds if other.status is not RefundStatus.FAILED)
        told = entry.additional_values.tx_value if entry.additional_values else None
        money = _money(told) if told else Money(left, amount.currency)
        refunds.append(
            ProviderRefund(
                refund_ref=refund_ref(position, money),
                amount=money,
                status=REFUND_STATES.get(state, RefundStatus.PENDING),
                created_at=_instant(entry.response.operation_date) if entry.response else None,
                status_text=(entry.response.response_code or state) if entry.response else None,
                unlisted=state not in REFUND_STATES,
            )
        )
    return tuple(refunds)


def refund_ref(position: int, amount: Money) -> str:
    return f"{position}.{amount.minor}"


def read_refund_ref(text: str) -> tuple[int, Money] | None:
    """Which refund of the order, and of how much."""
    match = _REFUND_REF.fullmatch(text)
    return (int(match.group(1)), Money(int(match.group(2)), Currency.COP)) if match else None


def bank_url(response: wire.TransactionResponse) -> str | None:
    value = (response.extra_parameters or {}).get("BANK_URL")
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def signature(api_key: str, parts: list[str], digest: Digest) -> str:
    """Of ApiKey~part~part~…, in lower-case hexadecimal."""
    text = "~".join([api_key, *parts])
    return hashlib.new(digest.value, text.encode(), usedforsecurity=False).hexdigest()


def amount_text(amount: Money) -> str:
    """As few decimals as there are: 20000, 150.5. What is signed is what is sent."""
    text = str(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def failure(status: int, answer: wire.Answer | None, *, write: bool, retry_after: int | None = None) -> ProviderError:
    """An answer that is no success. Of PayU's own sentence nothing is kept: it may quote what the buyer typed."""
    text = (answer.error if answer else None) or ""
    if status == 429:
        return ProviderUnavailable(NAME, "rate_limited", retry_after=retry_after)
    # Before any word of theirs is read: what a failing server writes says nothing of what has happened.
    if status in range(300, 400) or status in (408, *range(500, 600)) or (answer is None and status < 400):
        error = OutcomeUnknown if write else ProviderUnavailable
        return error(NAME, f"http_{status}", retry_after=retry_after)
    if status in (401, 403) or _CREDENTIALS.search(text):
        return ProviderNotConfigured(NAME, "credentials_refused", "the API key or login was refused")
    if status == 404 or (not write and _ABSENT.search(text)):
        return PaymentNotFound(NAME, "not_found")
    if _UNDER_WAY.search(text):
        return ProviderRejected(NAME, "request_in_progress")
    if write:
        return ProviderRejected(NAME, "refused" if answer else f"http_{status}")
    return ProviderUnavailable(NAME, "refused" if answer else f"http_{status}", retry_after=retry_after)


def _status(
    order: wire.Order, paid: wire.Transaction | None, deciding: wire.Transaction | None, settings: PayuSettings
) -> tuple[ProviderStatus, FailureReason | None, bool]:
    """Status, reason, and whether a word stood there that nobody listed."""
    if order.status == REFUNDED:
        return ProviderStatus.REFUNDED, None, False
    if order.status in settings.captured_statuses:
        return ProviderStatus.CONFIRMED, None, False
    if paid is not None:
        # An approved payment in an order that is not captured, or no longer: nothing is concluded from that.
        listed = order.status is None
        return (ProviderStatus.CONFIRMED if listed else ProviderStatus.PENDING), None, not listed
    if deciding is None or deciding.response is None:
        return ProviderStatus.PENDING, None, False
    state = deciding.response.state
    status, reason = STATES.get(state, (ProviderStatus.PENDING, None))
    return status, reason, state not in STATES


def _has_failed(response: wire.TransactionResponse) -> bool:
    status, _ = STATES.get(response.state, (ProviderStatus.PENDING, None))
    return status is ProviderStatus.FAILED


def _amount(deciding: wire.Transaction | None, order: wire.Order) -> Money:
    for values in (deciding.additional_values if deciding else None, order.additional_values):
        if values is not None and values.tx_value is not None:
            return _money(values.tx_value)
    raise MoneyError("the order tells no amount")


def _money(amount: wire.Amount) -> Money:
    return Money.of(amount.value.normalize(), parse_currency(amount.currency))


def _transfer(charge: wire.Transaction) -> Instructions | None:
    if charge.payment_method != "PSE" or charge.response is None or charge.response.state != "PENDING":
        return None
    url = bank_url(charge.response)
    return PayByTransfer(url=url) if url else None


def _whole_pesos(amount: Money) -> int:
    """A JSON number; PSE takes no decimals."""
    if amount.minor % 100:
        raise MoneyError("only whole pesos are sent")
    return amount.minor // 100


def _description(request: IntentRequest) -> str:
    return request.description.strip()[:255] or "Pago"


def _phone(phone: str) -> str:
    return phone.removeprefix("+")[:20]


def _instant(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)
