"""PayU Latam as a payment provider: the facts as class data, then the verbs.

PayU has no address of a payment to hand out: its checkout (WebCheckout) is reached by a form which the buyer's browser
posts from a page of ours. Until then PayU knows nothing of the payment, so that `provider_ref` carries what there is to
know. A PSE transfer does exist from its creation on, and is looked up by our reference when that went unanswered.

A refund is an application: PayU takes one at a time, gives it no id, and shows nothing of it until it has decided.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from kernel import Clock, Country, Currency
from kernel.money import total

from psp.capabilities import Capabilities, MethodCapability, Need, RefundSupport
from psp.colombia.payu import mapping, wire
from psp.colombia.payu.client import PayuClient
from psp.colombia.payu.mapping import Form
from psp.colombia.payu.settings import PayuSettings
from psp.colombia.payu.webhook import PayuWebhooks
from psp.confirmation import expired, judge
from psp.observed import observed
from psp.pace import Pace
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
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    ProviderNotConfigured,
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
from psp.readings import check_refund, creation_window, decisive, new_refund, noted

_FIVE_MINUTES = timedelta(minutes=5)
_REFUNDS = (
    "whole or in part, from 100 pesos on, when paid by card; decided by PayU within three business days. What was paid"
    " by PSE or in cash has to be paid back by hand"
)
_KEPT: Final = (ProviderStatus.CONFIRMED, ProviderStatus.PARTIALLY_REFUNDED)
_ORDER_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
# PayU's list begins with a line that asks the buyer to choose.
_NO_BANK: Final = "0"


@observed
class PayuAdapter:
    name: ClassVar[str] = mapping.NAME
    country: ClassVar[Country] = Country.CO
    currency: ClassVar[Currency] = Currency.COP
    evidence: ClassVar[frozenset[str]] = PayuWebhooks.evidence
    capabilities: ClassVar[Capabilities] = Capabilities(
        provider=mapping.NAME,
        title="PayU Latam",
        country=Country.CO,
        currency=Currency.COP,
        methods={
            PaymentMethod.QR_DYNAMIC: MethodCapability(
                product="QR code of a page of ours that leads to WebCheckout",
                refund=RefundSupport.PARTIAL,
                refunds=_REFUNDS,
                note="PayU documents no QR code for Colombia: scanning it opens the checkout in the buyer's browser.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=timedelta(days=30),
                asynchronous_refunds=True,
                needs=frozenset({Need.PAGE}),
            ),
            PaymentMethod.PAYMENT_LINK: MethodCapability(
                product="page of ours that leads to WebCheckout",
                refund=RefundSupport.PARTIAL,
                refunds=_REFUNDS,
                note="Card, PSE, cash and more, chosen by the buyer on PayU's page. A page that is open cannot be"
                " closed from here: it may be paid after the expiry.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=timedelta(days=30),
                asynchronous_refunds=True,
                needs=frozenset({Need.PAGE}),
            ),
            PaymentMethod.BANK_TRANSFER: MethodCapability(
                product="PSE transfer at the buyer's bank",
                refund=RefundSupport.NONE,
                refunds="none: PayU gives money back to cards alone, so it has to be paid back by hand",
                note="Whole pesos. PayU ends it itself, and does not say when; it cannot be canceled.",
                min_expiry=_FIVE_MINUTES,
                max_expiry=timedelta(days=1),
                needs=frozenset({Need.NAME, Need.EMAIL, Need.PHONE, Need.DOCUMENT, Need.BANK, Need.DEVICE}),
                step=100,
            ),
        },
        missing={PaymentMethod.QR_STATIC: "PayU has no QR code that stays at the counter."},
        webhooks="signed (MD5, SHA-1 or SHA-256 of the API key and five fields), without a timestamp; only once an"
        " attempt has come to its end, up to nine times until a 200; none of refunds.",
        idempotency="no idempotency key; an unanswered PSE transfer is looked up by our reference, and of refunds PayU"
        " takes one at a time.",
        cancels=False,
        shows_refunds_under_way=False,
        readings="seven minutes after the creation for the first time, then ten minutes apart"
        " (`PAYU_FIRST_READING_SECONDS`, `PAYU_READING_INTERVAL_SECONDS`), besides the one at the expiry.",
    )

    def __init__(self, settings: PayuSettings, client: PayuClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._webhooks = PayuWebhooks(settings, clock)
        self._grace = timedelta(seconds=settings.expiry_grace_seconds)
        self.pace = Pace(
            timedelta(seconds=settings.first_reading_seconds), timedelta(seconds=settings.reading_interval_seconds)
        )
        self._banks: tuple[Bank, ...] = ()
        self._banks_until: datetime | None = None

    @classmethod
    def open(cls, clock: Clock, settings: PayuSettings | None = None) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without the merchant's credentials."""
        settings = settings or PayuSettings()
        return cls(settings, PayuClient.open(settings), clock)

    @classmethod
    def receiver(cls, settings: PayuSettings | None = None) -> WebhookReceiver:
        return PayuWebhooks(settings or PayuSettings())

    async def close(self) -> None:
        await self._client.close()

    async def create_payment_intent(self, request: IntentRequest) -> Created:
        self.capabilities.check(request, self._clock.now())
        if request.method is not PaymentMethod.BANK_TRANSFER:
            form = Form.of(request)
            return Created(self.name, form.provider_ref, ProviderStatus.PENDING, form.instructions, form.expires_at)
        body = mapping.transfer_body(request, self._settings, self._api_key())
        response = await self._client.submit(body, operation="transactions.submit")
        status, _ = mapping.STATES.get(response.state, (None, None))
        if status is ProviderStatus.FAILED:
            raise Declined(self.name, (response.response_code or response.state)[:200])
        url = mapping.bank_url(response)
        if status is not ProviderStatus.PENDING or response.order_id is None or url is None:
            raise OutcomeUnknown(self.name, "unreadable_transaction")
        return Created(self.name, str(response.order_id), status, PayByTransfer(url=url), None)

    def checkout_form(self, request: IntentRequest) -> CheckoutForm | None:
        if request.method not in (PaymentMethod.QR_DYNAMIC, PaymentMethod.PAYMENT_LINK):
            return None
        return mapping.checkout_form(request, self._settings, self._api_key(), self._clock.now())

    async def banks(self) -> tuple[Bank, ...]:
        now = self._clock.now()
        if self._banks_until is None or now >= self._banks_until:
            listed = await self._client.banks()
            self._banks = tuple(Bank(bank.pse_code, bank.description) for bank in listed if bank.pse_code != _NO_BANK)
            self._banks_until = now + timedelta(seconds=self._settings.banks_seconds)
        return self._banks

    async def generate_qr_code(self, provider_ref: str) -> PayByQr:
        if _ORDER_ID.fullmatch(provider_ref):
            raise MethodNotSupported(self.name, "not_a_qr_payment")
        instructions = self._form(provider_ref).instructions
        if not isinstance(instructions, PayByQr):
            raise MethodNotSupported(self.name, "not_a_qr_payment")
        return instructions

    async def fetch_payment(self, provider_ref: str) -> FetchedPayment:
        if _ORDER_ID.fullmatch(provider_ref):
            return self._reading(await self._client.order(int(provider_ref)))
        form = self._form(provider_ref)
        found = await self.find_payment(form.reference)
        if found is None:
            return expired(mapping.unvisited(form, self._settings), self._clock.now(), self._grace)
        return replace(found, provider_ref=provider_ref, instructions=form.instructions, expires_at=form.expires_at)

    async def find_payment(self, our_reference: str) -> FetchedPayment | None:
        orders = await self._client.orders_of(our_reference)
        ours = [self._reading(order) for order in orders if order.reference_code == our_reference]
        found = decisive(our_reference, ours)
        kept = [payment.amount for payment in ours if payment.status in _KEPT]
        if found is None or len(kept) < 2:
            return found
        # Nothing at PayU keeps a form from being paid twice: then more came in than was asked for, and shows so.
        return replace(found, amount=total(kept, self.currency))

    async def confirm_payment(self, expected: ExpectedPayment) -> Confirmation:
        payment = await self.fetch_payment(expected.provider_ref)
        return judge(expected, payment, live=self._settings.livemode, account=self._settings.account_id)

    async def cancel(self, provider_ref: str) -> Cancellation:
        payment = await self.fetch_payment(provider_ref)
        if payment.status is ProviderStatus.PENDING:
            raise ProviderRejected(self.name, "cancellation_not_supported")
        return Canceled(payment) if payment.status is ProviderStatus.FAILED else NotCanceled(payment)

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        check_refund(self.name, self.currency, request)
        order = await self._order(request.provider_ref)
        payment = self._reading(order)
        position = self._check_refundable(payment, request)
        charge = mapping.paid_charge(order)
        if charge is None:
            raise ProviderUnavailable(self.name, "paid_transaction_not_visible")
        if charge.payment_method in mapping.NOT_CARDS:
            raise Declined(self.name, "refund_needs_manual_payout", "PayU gives money back to cards alone")
        body = mapping.refund_body(request, order, charge, whole=request.amount == payment.amount)
        response = await self._client.submit(body, operation="refunds.submit")
        status = mapping.REFUND_STATES.get(response.state, RefundStatus.PENDING)
        if status is RefundStatus.FAILED:
            raise Declined(self.name, (response.response_code or response.state)[:200])
        return ProviderRefund(
            refund_ref=mapping.refund_ref(position, request.amount),
            amount=request.amount,
            status=status,
            status_text=response.pending_reason or response.state,
            unlisted=response.state not in mapping.REFUND_STATES,
        )

    async def fetch_refund(self, provider_ref: str, refund_ref: str) -> ProviderRefund:
        made = mapping.read_refund_ref(refund_ref)
        if made is None:
            raise PaymentNotFound(self.name, "refund_not_found")
        position, amount = made
        decided = (await self.fetch_payment(provider_ref)).refunds
        if position == len(decided) + 1:
            return ProviderRefund(refund_ref, amount, RefundStatus.PENDING)
        if position > len(decided):
            raise PaymentNotFound(self.name, "refund_not_found")
        seen = decided[position - 1]
        if seen.refund_ref != refund_ref:
            # In its place stands one of another amount. That one shows in the payment; this one was not carried out.
            return ProviderRefund(refund_ref, amount, RefundStatus.FAILED, status_text="other_amount", derived=True)
        return seen

    async def find_refund(self, request: RefundRequest) -> ProviderRefund | None:
        found = new_refund(await self.fetch_payment(request.provider_ref), request)
        if found is not None:
            return found
        window = creation_window(str(request.reference))
        decided_by = None if window is None else window.last + self._settings.refund_decision_seconds
        if decided_by is None or self._clock.now().timestamp() < decided_by:
            # Not to be seen is what one under way looks like too: taking it for absent would give the money back twice.
            raise ProviderUnavailable(self.name, "refund_not_visible")
        return None

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        self._webhooks.verify_webhook_signature(request)

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        return self._webhooks.parse_webhook(request)

    def _api_key(self) -> str:
        if self._settings.api_key is None:
            raise ProviderNotConfigured(self.name, "api_key_missing")
        return self._settings.api_key.get_secret_value()

    def _form(self, provider_ref: str) -> Form:
        try:
            return Form.read(provider_ref)
        except ValueError:
            raise PaymentNotFound(self.name, "malformed_reference") from None

    async def _order(self, provider_ref: str) -> wire.Order:
        """The order that counts. Raises PaymentNotFound, or ProviderRejected where nobody has come to pay yet."""
        if _ORDER_ID.fullmatch(provider_ref):
            return await self._client.order(int(provider_ref))
        reference = self._form(provider_ref).reference
        orders = {
            str(order.id): order
            for order in await self._client.orders_of(reference)
            if order.reference_code == reference
        }
        payment = decisive(reference, [self._reading(order) for order in orders.values()])
        if payment is None:
            raise ProviderRejected(self.name, "not_paid")
        return orders[payment.provider_ref]

    def _check_refundable(self, payment: FetchedPayment, request: RefundRequest) -> int:
        """Which refund of the order this one is to be. Raises ProviderRejected for what PayU would refuse."""
        if payment.status not in (ProviderStatus.CONFIRMED, ProviderStatus.PARTIALLY_REFUNDED):
            raise ProviderRejected(self.name, "not_paid")
        gone = sum(refund.amount.minor for refund in payment.refunds if refund.status is not RefundStatus.FAILED)
        if request.amount.minor > payment.amount.minor - gone:
            raise ProviderRejected(self.name, "amount_exceeds_refundable", param="amount")
        if request.amount < mapping.MIN_REFUND:
            raise ProviderRejected(self.name, "amount_below_minimum", param="amount")
        position = len(payment.refunds) + 1
        known = [mapping.read_refund_ref(ref) for ref in request.known_refunds]
        waiting = any(made is not None and made[0] >= position for made in known)
        if waiting or any(refund.status is RefundStatus.PENDING for refund in payment.refunds):
            raise ProviderRejected(self.name, "request_in_progress")
        return position

    def _reading(self, order: wire.Order) -> FetchedPayment:
        """Translate, and make an unlisted status seen. Raises ProviderUnavailable where that cannot be done."""
        try:
            return noted(mapping.fetched(order, self._settings))
        except ValueError:
            raise ProviderUnavailable(self.name, "unreadable_order") from None


ADAPTER: Final[Adapter] = PayuAdapter
