"""Conekta as a payment provider: the facts as class data, then the verbs.

Conekta has no idempotency key. A create or refund whose answer never came is therefore never repeated before
find_payment or find_refund has looked for it. Refunds of one order are sent one at a time.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from kernel import Clock, Country, Currency

from psp.capabilities import Capabilities, MethodCapability, RefundSupport
from psp.confirmation import judge
from psp.mexico.conekta import mapping, wire
from psp.mexico.conekta.client import ConektaClient
from psp.mexico.conekta.settings import ConektaSettings
from psp.mexico.conekta.webhook import ConektaWebhooks
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
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    WebhookEvent,
    WebhookReceiver,
    WebhookRequest,
)
from psp.readings import Window, check_refund, creation_window, decisive, new_refund, noted

_YEAR = timedelta(days=365)
_FIVE_MINUTES = timedelta(minutes=5)
_CHECKOUT_REFUNDS = "whole or in part, when paid by card"

# Of a hundred orders each: more than a till creates in an hour.
_MAX_PAGES = 50


@observed
class ConektaAdapter:
    name: ClassVar[str] = mapping.NAME
    country: ClassVar[Country] = Country.MX
    currency: ClassVar[Currency] = Currency.MXN
    evidence: ClassVar[frozenset[str]] = ConektaWebhooks.evidence
    capabilities: ClassVar[Capabilities] = Capabilities(
        provider=mapping.NAME,
        title="Conekta",
        country=Country.MX,
        currency=Currency.MXN,
        methods={
            PaymentMethod.QR_DYNAMIC: MethodCapability(
                product="QR code of the hosted checkout's address",
                refund=RefundSupport.PARTIAL,
                refunds=_CHECKOUT_REFUNDS,
                note="Conekta has no native QR code: scanning it opens the checkout page in the buyer's browser.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
            ),
            PaymentMethod.PAYMENT_LINK: MethodCapability(
                product="hosted checkout",
                refund=RefundSupport.PARTIAL,
                refunds=_CHECKOUT_REFUNDS,
                note="Single use; card or SPEI, chosen by the buyer on Conekta's page.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
            ),
            PaymentMethod.BANK_TRANSFER: MethodCapability(
                product="SPEI transfer to a CLABE of this payment",
                refund=RefundSupport.UNDOCUMENTED,
                refunds="not documented; Conekta's refusal is passed on",
                note="Any bank may hold the CLABE. Transfers arrive at any hour, also after the expiry.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=_YEAR,
            ),
        },
        missing={PaymentMethod.QR_STATIC: "Conekta has no QR code that stays at the counter."},
        webhooks="signed (RSA, SHA-256, over the raw body), without a timestamp; repeated by event id.",
        idempotency="no idempotency key; an unanswered creation is looked up by our reference.",
        lists_payments=True,
        reconciliation="against the orders created in a period, as Conekta lists them.",
    )

    def __init__(self, settings: ConektaSettings, client: ConektaClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._webhooks = ConektaWebhooks(settings)

    @classmethod
    def open(cls, clock: Clock, settings: ConektaSettings | None = None) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an API key."""
        settings = settings or ConektaSettings()
        return cls(settings, ConektaClient.open(settings), clock)

    @classmethod
    def receiver(cls, settings: ConektaSettings | None = None) -> WebhookReceiver:
        return ConektaWebhooks(settings or ConektaSettings())

    async def close(self) -> None:
        await self._client.close()

    async def create_payment_intent(self, request: IntentRequest) -> Created:
        self.capabilities.check(request, self._clock.now())
        order = await self._client.create_order(mapping.order_body(request, self._settings))
        try:
            return mapping.created(order)
        except ValueError:
            raise OutcomeUnknown(self.name, "unreadable_order") from None

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
        return self._noted(await self._client.get_order(provider_ref))

    async def find_payment(self, our_reference: str) -> FetchedPayment | None:
        page = await self._client.search_orders(our_reference)
        orders = [order for order in page.items if mapping.reference_of(order) == our_reference]
        # What their search looks through is not documented. Finding nothing there, we look ourselves: taking an order
        # for absent that is there would charge the buyer twice.
        orders = orders or await self._look_through(our_reference)
        return decisive(our_reference, [self._noted(order) for order in orders])

    async def confirm_payment(self, expected: ExpectedPayment) -> Confirmation:
        return judge(expected, await self.fetch_payment(expected.provider_ref), live=self._settings.livemode)

    async def cancel(self, provider_ref: str) -> Cancellation:
        try:
            payment = self._noted(await self._client.cancel_order(provider_ref), OutcomeUnknown)
        except PaymentNotFound:
            raise
        except (ProviderRejected, Declined) as refusal:
            payment = await self.fetch_payment(provider_ref)
            if payment.status is ProviderStatus.PENDING:
                raise refusal from None
        if payment.status is ProviderStatus.FAILED:
            return Canceled(payment)
        if payment.status is ProviderStatus.PENDING:
            raise OutcomeUnknown(self.name, "cancellation_not_visible")
        return NotCanceled(payment)

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        check_refund(self.name, self.currency, request)
        order = await self._client.refund_order(request.provider_ref, mapping.refund_body(request))
        refund = new_refund(self._noted(order, OutcomeUnknown), request)
        if refund is None:
            raise OutcomeUnknown(self.name, "refund_not_visible")
        return refund

    async def fetch_refund(self, provider_ref: str, refund_ref: str) -> ProviderRefund:
        payment = await self.fetch_payment(provider_ref)
        for refund in payment.refunds:
            if refund.refund_ref == refund_ref:
                return refund
        raise PaymentNotFound(self.name, "refund_not_found")

    async def find_refund(self, request: RefundRequest) -> ProviderRefund | None:
        return new_refund(await self.fetch_payment(request.provider_ref), request)

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        self._webhooks.verify_webhook_signature(request)

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        return self._webhooks.parse_webhook(request)

    async def list_payments(self, since: datetime, until: datetime) -> tuple[FetchedPayment, ...]:
        window = Window(math.floor(since.timestamp()), math.ceil(until.timestamp()))
        orders = await self._orders_of(window)
        # In another currency it is somebody else's, sold with the same account, and may be none that we can read.
        return tuple(self._noted(order) for order in orders if order.currency == self.currency.value)

    async def _look_through(self, our_reference: str) -> list[wire.Order]:
        window = creation_window(our_reference)
        if window is None:
            return []
        return [order for order in await self._orders_of(window) if mapping.reference_of(order) == our_reference]

    async def _orders_of(self, window: Window) -> list[wire.Order]:
        """All of them. Raises ProviderUnavailable where there are too many."""
        found: list[wire.Order] = []
        after: str | None = None
        for _ in range(_MAX_PAGES):
            page = await self._client.list_orders(window, after)
            found += page.items
            if not page.has_more or not page.items:
                return found
            after = page.items[-1].id
        raise ProviderUnavailable(self.name, "search_inconclusive")

    def _noted(
        self, order: wire.Order, otherwise: type[OutcomeUnknown | ProviderUnavailable] = ProviderUnavailable
    ) -> FetchedPayment:
        """Translate, and make an unlisted status seen. Raises `otherwise` for an order that cannot be translated."""
        try:
            payment = mapping.fetched(order)
        except ValueError:
            raise otherwise(self.name, "unreadable_order") from None
        return noted(payment)


ADAPTER: Final[Adapter] = ConektaAdapter
