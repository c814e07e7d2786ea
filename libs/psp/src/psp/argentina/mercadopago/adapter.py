"""Mercado Pago as a payment provider: the facts as class data, then the verbs.

Every write carries an idempotency key made of our own id, so that even one which is sent twice happens once. A key that
was used may answer 409 instead of the first answer; that is an unknown outcome, resolved by reading.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from kernel import Clock, Country, Currency, new_id

from psp.argentina.mercadopago import mapping, wire
from psp.argentina.mercadopago.client import PAGE, MercadoPagoClient
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.argentina.mercadopago.webhook import MercadoPagoWebhooks
from psp.capabilities import Capabilities, MethodCapability, RefundSupport
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
    ProviderRefund,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
    WebhookEvent,
    WebhookReceiver,
    WebhookRequest,
)
from psp.readings import Window, check_refund, creation_window, decisive, new_refund, noted

_FIVE_MINUTES = timedelta(minutes=5)

# More than a till creates in an hour.
_MAX_PAGES = 100


@observed
class MercadoPagoAdapter:
    name: ClassVar[str] = mapping.NAME
    country: ClassVar[Country] = Country.AR
    currency: ClassVar[Currency] = Currency.ARS
    evidence: ClassVar[frozenset[str]] = MercadoPagoWebhooks.evidence
    capabilities: ClassVar[Capabilities] = Capabilities(
        provider=mapping.NAME,
        title="Mercado Pago",
        country=Country.AR,
        currency=Currency.ARS,
        methods={
            PaymentMethod.QR_DYNAMIC: MethodCapability(
                product="interoperable QR code (Transferencias 3.0) of an order",
                refund=RefundSupport.WHOLE,
                refunds="whole only, asynchronous, within 180 days",
                note="Any wallet pays it, also by transfer. Needs a point of sale (`MERCADOPAGO_EXTERNAL_POS_ID`).",
                min_expiry=_FIVE_MINUTES,
                max_expiry=timedelta(days=1),
                native_qr=True,
                asynchronous_refunds=True,
            ),
            PaymentMethod.PAYMENT_LINK: MethodCapability(
                product="Checkout Pro of an order",
                refund=RefundSupport.PARTIAL,
                refunds="whole or in part, asynchronous, within 180 days",
                note="Single use; card, money in the account and more, chosen by the buyer on Mercado Pago's page.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=timedelta(days=31),
                asynchronous_refunds=True,
            ),
        },
        missing={
            PaymentMethod.QR_STATIC: "The code printed for a point of sale would need one such point per counter.",
            PaymentMethod.BANK_TRANSFER: "No call of its own is documented for Argentina; the dynamic QR code can be"
            " paid by transfer from any bank or wallet.",
        },
        webhooks="signed (HMAC, SHA-256) over the order's id, the request's id and a time, not over the body.",
        idempotency="an idempotency key on every write, made of our own id.",
        lists_payments=True,
        reconciliation="against the orders created in a period: Mercado Pago's search tells their ids, and each is"
        " read. It shows orders of a QR code for three months.",
    )

    def __init__(self, settings: MercadoPagoSettings, client: MercadoPagoClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._webhooks = MercadoPagoWebhooks(settings, clock)

    @classmethod
    def open(cls, clock: Clock, settings: MercadoPagoSettings | None = None) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an access token."""
        settings = settings or MercadoPagoSettings()
        return cls(settings, MercadoPagoClient.open(settings), clock)

    @classmethod
    def receiver(cls, settings: MercadoPagoSettings | None = None) -> WebhookReceiver:
        return MercadoPagoWebhooks(settings or MercadoPagoSettings())

    async def close(self) -> None:
        await self._client.close()

    async def create_payment_intent(self, request: IntentRequest) -> Created:
        now = self._clock.now()
        self.capabilities.check(request, now)
        body = mapping.order_body(request, self._settings, now)
        order = await self._client.create_order(body, str(request.reference))
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
        window = creation_window(our_reference)
        if window is None:
            return None
        try:
            page = await self._client.search_orders(our_reference, window)
            # Whether the filter is exact is not documented, nor how much of an order a search shows.
            ids = [found.id for found in page.data or () if found.external_reference == our_reference]
            return decisive(our_reference, [await self.fetch_payment(id) for id in ids])
        except ProviderRejected as refusal:
            # A search that is refused, or shows what cannot be read, has not proven that there is nothing.
            raise ProviderUnavailable(self.name, "search_inconclusive", refusal.code) from None

    async def confirm_payment(self, expected: ExpectedPayment) -> Confirmation:
        payment = await self.fetch_payment(expected.provider_ref)
        return judge(expected, payment, live=None, account=self._settings.user_id)

    async def cancel(self, provider_ref: str) -> Cancellation:
        refusal: ProviderRejected | Declined | None = None
        try:
            # Each try under a key of its own: cancelling twice does no harm, and a refusal must not be replayed.
            await self._client.cancel_order(provider_ref, str(new_id()))
        except PaymentNotFound:
            raise
        except (ProviderRejected, Declined) as error:
            refusal = error
        payment = await self._after_write(provider_ref) if refusal is None else await self.fetch_payment(provider_ref)
        if payment.status is ProviderStatus.FAILED:
            return Canceled(payment)
        if payment.status is not ProviderStatus.PENDING:
            return NotCanceled(payment)
        raise refusal or OutcomeUnknown(self.name, "cancellation_not_visible")

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        check_refund(self.name, self.currency, request)
        order = await self._client.get_order(request.provider_ref)
        answer = await self._client.refund_order(
            request.provider_ref, self._refund_body(order, request), str(request.reference)
        )
        # An answer may show the new refund alone, so it is put in the place of those that were there.
        seen = order.model_copy(update={"transactions": answer.transactions})
        refund = new_refund(self._noted(seen, OutcomeUnknown), request)
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
        # An order made meanwhile pushes the others on, so that one may be told of twice.
        ids: dict[str, None] = {}
        for page in range(_MAX_PAGES):
            entries = (await self._client.list_orders(window, page * PAGE)).data or ()
            ids |= dict.fromkeys(entry.id for entry in entries)
            if len(entries) < PAGE:
                return await self._read_all(list(ids))
        raise ProviderUnavailable(self.name, "search_inconclusive")

    async def _read_all(self, ids: list[str]) -> tuple[FetchedPayment, ...]:
        """How much of an order a search shows is not documented, so each is read."""
        found = []
        for id in ids:
            try:
                order = await self._client.get_order(id)
            except ProviderRejected as refusal:
                # What is listed and cannot be shown is not absent.
                raise ProviderUnavailable(self.name, "search_inconclusive", refusal.code) from None
            if not mapping.is_foreign(order):
                found.append(self._noted(order))
        return tuple(found)

    def _refund_body(self, order: wire.Order, request: RefundRequest) -> dict[str, object] | None:
        """None for the whole. Raises ProviderRejected for what they would refuse."""
        payment = self._noted(order)
        if payment.status not in (ProviderStatus.CONFIRMED, ProviderStatus.PARTIALLY_REFUNDED):
            raise ProviderRejected(self.name, "cannot_refund_order")
        gone = sum(refund.amount.minor for refund in payment.refunds if refund.status is not RefundStatus.FAILED)
        if request.amount.minor > payment.amount.minor - gone:
            raise ProviderRejected(self.name, "amount_exceeds_refundable", param="amount")
        if request.amount == payment.amount:
            return None
        if order.type == mapping.QR:
            raise ProviderRejected(self.name, "partial_refund_not_supported", param="amount")
        transaction = mapping.paid_transaction(order)
        if transaction is None:
            raise ProviderUnavailable(self.name, "paid_transaction_not_visible")
        return mapping.partial_refund_body(transaction, request.amount)

    async def _after_write(self, provider_ref: str) -> FetchedPayment:
        """What a write came to. It has happened, so not being able to read it is an unknown outcome."""
        try:
            return await self.fetch_payment(provider_ref)
        except ProviderUnavailable as error:
            raise OutcomeUnknown(self.name, error.code) from None

    def _noted(
        self, order: wire.Order, otherwise: type[OutcomeUnknown | ProviderUnavailable] = ProviderUnavailable
    ) -> FetchedPayment:
        """Translate, and make an unlisted status seen. Raises `otherwise` for an order that cannot be translated."""
        try:
            payment = mapping.fetched(order)
        except ValueError:
            raise otherwise(self.name, "unreadable_order") from None
        return noted(payment)


ADAPTER: Final[Adapter] = MercadoPagoAdapter
