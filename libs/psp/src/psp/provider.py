"""The provider contract: what a payment service provider (PSP) adapter can be asked, and every way it can answer.

Errors (each carries the provider's name and a stable code; messages hold no personal data and no secrets):

ProviderError
├── ProviderUnavailable      nothing happened there; trying again is safe
├── OutcomeUnknown           sent, no usable answer: never sent again blindly, resolved with find_payment/find_refund
├── ProviderRejected         the request is wrong; sending it again changes nothing
│   ├── MethodNotSupported   this provider has no such payment method
│   └── PaymentNotFound      the provider does not know this payment or refund
├── Declined                 a clear no of the bank or the provider to a well-formed request
├── InvalidSignature         the webhook is not proven to come from the provider
├── MalformedWebhook         the signature holds, the content cannot be read
└── ProviderNotConfigured    a key is missing or refused, so this route is closed
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, Protocol
from uuid import UUID

from kernel import Clock, Country, Currency, Money

if TYPE_CHECKING:
    from psp.capabilities import Capabilities


class PaymentMethod(StrEnum):
    QR_STATIC = "QR_STATIC"
    QR_DYNAMIC = "QR_DYNAMIC"
    PAYMENT_LINK = "PAYMENT_LINK"
    BANK_TRANSFER = "BANK_TRANSFER"


class ProviderStatus(StrEnum):
    """PENDING is also every status the adapter's table does not list: only an explicit answer is terminal."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class FailureReason(StrEnum):
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELED = "canceled"


class RefundStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class IdentityDocument:
    """kind: in the words of the country (CC, CE, NIT; DNI, CUIT; RUT). number: as printed."""

    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class Customer:
    """The buyer as far as known. phone in E.164. is_company: a legal person, whose document is a tax id."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    document: IdentityDocument | None = None
    is_company: bool = False


@dataclass(frozen=True, slots=True)
class BuyerDevice:
    """The browser the buyer pays with, where a provider wants to know it. session_id, cookie: of our own page."""

    ip_address: str
    user_agent: str
    session_id: str
    cookie: str


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """reference: our payment id, found again with find_payment. amount: positive, in the provider's currency.

    What follows is asked for by `MethodCapability.needs` alone. bank: the buyer's, by its code in `banks()`.
    page_url: where the caller serves the page of this payment, which sends the buyer's browser on with `checkout_form`.
    """

    reference: UUID
    amount: Money
    method: PaymentMethod
    description: str
    expires_at: datetime
    customer: Customer = Customer()
    bank: str | None = None
    page_url: str | None = None
    device: BuyerDevice | None = None


@dataclass(frozen=True, slots=True)
class Bank:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CheckoutForm:
    """What the buyer's browser posts to come to the provider's page. action: https address. fields: in this order."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """reference: our refund id. known_refunds: every refund_ref we already hold for this payment.

    A provider without an idempotency key does not carry our reference on a refund; a refund that is not among the known
    ones is then the new one. Refunds of one payment are therefore sent one at a time.
    """

    reference: UUID
    provider_ref: str
    amount: Money
    reason: str | None = None
    known_refunds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PayByQr:
    """content: what the QR code encodes. native: False where it is the address of a hosted page."""

    content: str
    native: bool


@dataclass(frozen=True, slots=True)
class PayByLink:
    url: str


@dataclass(frozen=True, slots=True)
class PayByTransfer:
    """Either clabe, the account to transfer to (18 digits in Mexico), or url, where the buyer's bank takes over.

    bank: its name. reference: what the buyer must type, where one is needed.
    """

    clabe: str | None = None
    bank: str | None = None
    reference: str | None = None
    url: str | None = None


Instructions = PayByQr | PayByLink | PayByTransfer


@dataclass(frozen=True, slots=True)
class Created:
    """provider_ref: opaque to callers. Where nothing exists at the provider before the buyer acts, the adapter puts
    into it what it needs to know of the payment later. expires_at: None where the provider lets nothing expire.
    """

    provider: str
    provider_ref: str
    status: ProviderStatus
    instructions: Instructions
    expires_at: datetime | None


# The longest any provider takes to decide on a refund: PayU's three business days, with holidays.
REFUND_DECISION: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """amount is positive. status_text is the provider's own word, None where it gives none.

    derived: FAILED is our own conclusion from what else is there, and not to be acted upon while the provider may still
    be deciding (`REFUND_DECISION`).
    """

    refund_ref: str
    amount: Money
    status: RefundStatus
    created_at: datetime | None = None
    status_text: str | None = None
    unlisted: bool = False
    derived: bool = False


@dataclass(frozen=True, slots=True)
class FetchedPayment:
    """A payment as the provider has it now. failure_reason is set exactly when status is FAILED.

    unlisted: the status (status_text) is not in the adapter's table, so it is read as PENDING and counted.
    derived: FAILED is our own conclusion from expires_at, of a provider that never says that a payment has expired.
    live: False for the provider's test mode. account: the merchant's at the provider. Both None where it does not say.
    instructions: None where the provider no longer tells how to pay.
    """

    provider: str
    provider_ref: str
    our_reference: str | None
    amount: Money
    status: ProviderStatus
    failure_reason: FailureReason | None
    refunded: Money
    live: bool | None
    account: str | None = None
    status_text: str | None = None
    unlisted: bool = False
    derived: bool = False
    failure_detail: str | None = None
    instructions: Instructions | None = None
    paid_at: datetime | None = None
    expires_at: datetime | None = None
    refunds: tuple[ProviderRefund, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedPayment:
    """What we believe we asked for; compared field by field before money is taken as received."""

    provider_ref: str
    our_reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Confirmed:
    payment: FetchedPayment


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """Read, and not (or no longer) paid: payment.status says PENDING, FAILED or refunded."""

    payment: FetchedPayment


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The provider's payment is not the one we asked for. differences: amount, currency, reference, live, account."""

    payment: FetchedPayment
    differences: tuple[str, ...]


Confirmation = Confirmed | NotConfirmed | Mismatch


@dataclass(frozen=True, slots=True)
class Canceled:
    payment: FetchedPayment


@dataclass(frozen=True, slots=True)
class NotCanceled:
    """Too late: the payment was already final, for instance paid a moment before."""

    payment: FetchedPayment


Cancellation = Canceled | NotCanceled


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A notification as received: raw bytes, headers in any case, query parameters decoded and in their order."""

    body: bytes
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]] = ()

    def header_values(self, name: str) -> list[str]:
        """More than one where a header is repeated, or given in two spellings; name in lower case."""
        return [value for key, value in self.headers.items() if key.lower() == name]

    def query_values(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """event_id: unique per provider, the identity for deduplication; made of signed parts alone, or whoever holds one
    signature could spend the identity of another event. provider_ref: None for a ping or a foreign topic, and where
    only our_reference is known.

    All of it is a hint: read the payment again at the provider before acting on it.
    """

    provider: str
    event_id: str
    event_type: str
    provider_ref: str | None
    our_reference: str | None
    occurred_at: datetime


class WebhookReceiver(Protocol):
    """The half of a provider that needs no network; all the webhooks service uses."""

    name: ClassVar[str]
    evidence: ClassVar[frozenset[str]]
    """Headers (in lower case) and query parameters that prove a notification; of the others none is kept."""

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        """Over the bytes as received. Raises InvalidSignature, or ProviderNotConfigured without a key."""
        ...

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        """Only after verification. Raises MalformedWebhook."""
        ...


class PaymentProvider(WebhookReceiver, Protocol):
    """A read that fails raises ProviderUnavailable; a write only where nothing happened, else OutcomeUnknown."""

    country: ClassVar[Country]
    currency: ClassVar[Currency]
    capabilities: ClassVar[Capabilities]

    async def create_payment_intent(self, request: IntentRequest) -> Created: ...

    def checkout_form(self, request: IntentRequest) -> CheckoutForm | None:
        """Of a method that needs a page of ours (`Need.PAGE`), built anew for each visit; None of any other.

        No form may be handed out any more once the payment is final, for this provider cannot end it.
        """
        ...

    async def banks(self) -> tuple[Bank, ...]:
        """Those `IntentRequest.bank` may name; empty where the provider asks the buyer itself."""
        ...

    async def generate_qr_code(self, provider_ref: str) -> PayByQr:
        """The QR code of a payment that was created as one. Raises MethodNotSupported for any other."""
        ...

    async def fetch_payment(self, provider_ref: str) -> FetchedPayment:
        """Raises PaymentNotFound."""
        ...

    async def find_payment(self, our_reference: str) -> FetchedPayment | None:
        """Resolve an OutcomeUnknown create. None: not there now; a create still under way may yet appear."""
        ...

    async def confirm_payment(self, expected: ExpectedPayment) -> Confirmation:
        """Read the payment again and compare it with what we expect. Moves nothing at the provider."""
        ...

    async def cancel(self, provider_ref: str) -> Cancellation:
        """Make a pending payment unpayable. Cancelling twice is Canceled twice. Raises ProviderRejected where the
        provider cannot (`Capabilities.cancels`).
        """
        ...

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        """PENDING where the provider decides later: then fetch_refund tells."""
        ...

    async def fetch_refund(self, provider_ref: str, refund_ref: str) -> ProviderRefund:
        """Raises PaymentNotFound."""
        ...

    async def find_refund(self, request: RefundRequest) -> ProviderRefund | None:
        """Resolve an OutcomeUnknown refund by reading: the one of this amount that is not among known_refunds. Raises
        ProviderUnavailable while it cannot be told (`Capabilities.shows_refunds_under_way`).
        """
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


_CODE: Final = re.compile(r"[\w.:/-]{1,200}", re.ASCII)


class Adapter(Protocol):
    """A provider's class before there is an instance. Its module names it ADAPTER, for the registry to find."""

    name: str
    country: Country
    capabilities: Capabilities

    def open(self, clock: Clock) -> PaymentProvider:
        """Inside a running event loop. ProviderNotConfigured `api_key_missing` where it is not used."""
        ...

    def receiver(self) -> WebhookReceiver: ...


class ProviderError(Exception):
    """code: stable, snake_case or the provider's own. param: the offending field as the provider names it.
    retry_after: seconds, where the provider asked for them, or until we call it again.

    A code that is no word, but a sentence or worse, is not passed on: who knows what a provider quotes in it.
    """

    def __init__(
        self,
        provider: str,
        code: str,
        message: str = "",
        *,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        if _CODE.fullmatch(code) is None:
            code = "unspecified"
        super().__init__(f"{provider}: {message or code}")
        self.provider = provider
        self.code = code
        self.message = message or code
        self.param = param
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    pass


class OutcomeUnknown(ProviderError):
    pass


class ProviderRejected(ProviderError):
    pass


class MethodNotSupported(ProviderRejected):
    pass


class PaymentNotFound(ProviderRejected):
    pass


class Declined(ProviderError):
    pass


class InvalidSignature(ProviderError):
    pass


class MalformedWebhook(ProviderError):
    pass


class ProviderNotConfigured(ProviderError):
    pass
