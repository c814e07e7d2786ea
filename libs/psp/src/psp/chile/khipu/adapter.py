"""Khipu as a payment provider: the facts as class data, then the verbs.

Khipu has no idempotency key and no search. A payment whose creation went unanswered is nowhere to be found, and cannot
be paid either: nobody was ever told its address. Creating it again is therefore safe. Refunds of one payment are sent
one at a time, and looked for in the payment when they went unanswered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final, Self

from kernel import Clock, Country, Currency

from psp.capabilities import Capabilities, MethodCapability, RefundSupport
from psp.chile.khipu import mapping, wire
from psp.chile.khipu.client import KhipuClient
from psp.chile.khipu.settings import KhipuSettings, RefundApi
from psp.chile.khipu.webhook import KhipuWebhooks
from psp.confirmation import judge
from psp.observed import observed
from psp.provider import (
    Adapter,
    Bank,
    Canceled,
    Cancellation,
    CheckoutForm,
    Confirmation,
    Created,
    Declined,
    ExpectedPayment,
    FetchedPayment,
    IntentRequest,
    MethodNotSupported,
    NotCanceled,
    OutcomeUnknown,
    PayByQr,
    PaymentMethod,
    PaymentNotFound,
    ProviderNotConfigured,
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    WebhookEvent,
    WebhookReceiver,
    WebhookRequest,
)
from psp.readings import check_refund, new_refund, noted

# Khipu states no bounds; these are ours.
_FIVE_MINUTES = timedelta(minutes=5)
_YEAR = timedelta(days=365)
_REFUNDS = "whole or in part, up to 180 days, where Khipu has enabled it; done when Khipu says so, not at once"


@observed
class KhipuAdapter:
    name: ClassVar[str] = mapping.NAME
    country: ClassVar[Country] = Country.CL
    currency: ClassVar[Currency] = Currency.CLP
    evidence: ClassVar[frozenset[str]] = KhipuWebhooks.evidence
    capabilities: ClassVar[Capabilities] = Capabilities(
        provider=mapping.NAME,
        title="Khipu",
        country=Country.CL,
        currency=Currency.CLP,
        methods={
            PaymentMethod.QR_DYNAMIC: MethodCapability(
                product="QR code of the payment page's address",
                refund=RefundSupport.PARTIAL,
                refunds=_REFUNDS,
                note="Khipu has no native QR code: scanning it opens the payment page in the buyer's browser.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
                asynchronous_refunds=True,
            ),
            PaymentMethod.PAYMENT_LINK: MethodCapability(
                product="payment page",
                refund=RefundSupport.PARTIAL,
                refunds=_REFUNDS,
                note="Single use; the buyer chooses the bank and the kind of transfer on Khipu's page.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
                asynchronous_refunds=True,
            ),
            PaymentMethod.BANK_TRANSFER: MethodCapability(
                product="transfer from the buyer's bank, guided by Khipu",
                refund=RefundSupport.PARTIAL,
                refunds=_REFUNDS,
                note="The buyer follows an address; no account number is given out. An attempt that has begun may take"
                " three hours, also past the expiry.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
                asynchronous_refunds=True,
            ),
        },
        missing={PaymentMethod.QR_STATIC: "Khipu has no QR code that stays at the counter."},
        webhooks="signed (HMAC-SHA256 over time and raw body), only when a payment is conciliated, repeated for two"
        " days; everything else is found by asking.",
        idempotency="no idempotency key and no search; an unanswered creation cannot be paid and is made anew.",
        finds_by_reference=False,
    )

    def __init__(self, settings: KhipuSettings, client: KhipuClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._webhooks = KhipuWebhooks(settings, clock)

    @classmethod
    def open(cls, clock: Clock, settings: KhipuSettings | None = None) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an API key."""
        settings = settings or KhipuSettings()
        return cls(settings, KhipuClient.open(settings), clock)

    @classmethod
    def receiver(cls, settings: KhipuSettings | None = None) -> WebhookReceiver:
        return KhipuWebhooks(settings or KhipuSettings())

    async def close(self) -> None:
        await self._client.close()

    async def create_payment_intent(self, request: IntentRequest) -> Created:
        self.capabilities.check(request, self._clock.now())
        addresses = await self._client.create_payment(mapping.payment_body(request, self._settings))
        try:
            return mapping.created(addresses, request, self._settings)
        except ValueError:
            raise OutcomeUnknown(self.name, "unreadable_payment") from None

    def checkout_form(self, request: IntentRequest) -> CheckoutForm | None:
        return None

    async def banks(self) -> tuple[Bank, ...]:
        return ()

    async def generate_qr_code(self, provider_ref: str) -> PayByQr:
        payment = await self.fetch_payment(provider_ref)
        if not isinstance(payment.instructions, PayByQr):
            raise MethodNotSupported(self.name, "not_a_qr_payment")
        return payment.instructions

    async def fetch_payment(self, provider_ref: str) -> FetchedPayment:
        return self._reading(await self._client.get_payment(provider_ref))

    async def find_payment(self, our_reference: str) -> FetchedPayment | None:
        """Never any: Khipu cannot be asked for a payment by our reference."""
        return None

    async def confirm_payment(self, expected: ExpectedPayment) -> Confirmation:
        payment = await self.fetch_payment(expected.provider_ref)
        # Khipu does not say which mode a payment is of: an account in developer mode has another number.
        return judge(expected, payment, live=None, account=self._settings.receiver_id)

    async def cancel(self, provider_ref: str) -> Cancellation:
        try:
            await self._client.delete_payment(provider_ref)
        except PaymentNotFound:
            raise
        except (ProviderRejected, Declined) as refusal:
            payment = await self.fetch_payment(provider_ref)
            if payment.status is ProviderStatus.PENDING:
                raise refusal from None
        else:
            payment = await self._after_deletion(provider_ref)
        return Canceled(payment) if payment.status is ProviderStatus.FAILED else NotCanceled(payment)

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        check_refund(self.name, self.currency, request)
        left = mapping.left_of(await self.fetch_payment(request.provider_ref))
        try:
            if self._settings.refund_api is RefundApi.PAYMENT:
                return await self._refund_by_payment(request, mapping.payment_refund_body(request, left))
            answer = await self._client.refund(mapping.refund_body(request, left))
        except ProviderNotConfigured:
            # The key has just been good for reading: it is the refunds that Khipu has not enabled.
            raise ProviderRejected(self.name, "refunds_not_enabled") from None
        try:
            return mapping.refund(answer)
        except ValueError:
            raise OutcomeUnknown(self.name, "unreadable_refund") from None

    async def fetch_refund(self, provider_ref: str, refund_ref: str) -> ProviderRefund:
        payment = await self.fetch_payment(provider_ref)
        for refund in payment.refunds:
            if refund.refund_ref == refund_ref:
                return refund
        found = mapping.unlisted_refund(payment, refund_ref)
        if found is None:
            raise PaymentNotFound(self.name, "refund_not_found")
        return found

    async def find_refund(self, request: RefundRequest) -> ProviderRefund | None:
        payment = await self._client.get_payment(request.provider_ref)
        found = new_refund(self._reading(payment), request)
        if found is None and payment.refunds is None and self._settings.refund_api is RefundApi.PAYMENT:
            # No list is not an empty list: taking a refund for absent that was made would give the money back twice.
            raise ProviderUnavailable(self.name, "refunds_not_listed")
        return found

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        self._webhooks.verify_webhook_signature(request)

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        return self._webhooks.parse_webhook(request)

    async def _after_deletion(self, provider_ref: str) -> FetchedPayment:
        """The payment once Khipu has deleted it. Raises OutcomeUnknown where that cannot be seen."""
        try:
            payment = await self.fetch_payment(provider_ref)
        except (ProviderUnavailable, ProviderRejected):
            raise OutcomeUnknown(self.name, "cancellation_not_visible") from None
        if payment.status is ProviderStatus.PENDING:
            raise OutcomeUnknown(self.name, "cancellation_not_visible")
        return payment

    async def _refund_by_payment(self, request: RefundRequest, body: dict[str, object]) -> ProviderRefund:
        await self._client.refund_payment(request.provider_ref, body)
        try:
            payment = await self._client.get_payment(request.provider_ref)
            found = new_refund(self._reading(payment), request)
        except (ProviderUnavailable, ProviderRejected):
            raise OutcomeUnknown(self.name, "refund_not_visible") from None
        if found is not None:
            return found
        if payment.refunds is not None:
            raise OutcomeUnknown(self.name, "refund_not_visible")
        return mapping.accepted_refund(request)

    def _reading(self, payment: wire.Payment) -> FetchedPayment:
        """Translate, see what has expired, and make an unlisted status seen."""
        try:
            reading = mapping.fetched_at(payment, self._settings, self._clock.now())
        except ValueError:
            raise ProviderUnavailable(self.name, "unreadable_payment") from None
        return noted(reading)


ADAPTER: Final[Adapter] = KhipuAdapter
