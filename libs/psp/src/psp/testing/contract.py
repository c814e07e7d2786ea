"""The behaviour every provider's adapter shows, as one test class to inherit.

A provider's test module subclasses ProviderContract and gives it a fixture `world`: the adapter beside a twin of its
provider, and the hands to make things happen there. It needs pytest with asyncio_mode = "auto".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from kernel import Currency, Money, new_id

from psp.provider import (
    Canceled,
    Confirmed,
    Created,
    Customer,
    ExpectedPayment,
    FailureReason,
    IntentRequest,
    InvalidSignature,
    MalformedWebhook,
    MethodNotSupported,
    Mismatch,
    NotCanceled,
    NotConfirmed,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
    WebhookRequest,
)
from psp.testing.world import ProviderWorld, Tally, Verb


class ProviderContract:
    """Names tell the rule. Every amount that is checked is checked at the provider too.

    unit: what amounts are multiples of, in minor units. customer, extras: what requests carry beyond the rule tested.
    calling_method: one whose creation is a call to the provider, where that of the world's refundable_method is not.
    """

    unit: ClassVar[int] = 1
    customer: ClassVar[Customer] = Customer()
    extras: ClassVar[dict[str, Any]] = {}
    calling_method: ClassVar[PaymentMethod | None] = None

    def money(self, world: ProviderWorld, units: int = 15050) -> Money:
        return Money(units * self.unit, world.provider.currency)

    def request(self, world: ProviderWorld, **changes: Any) -> IntentRequest:
        values: dict[str, Any] = {
            "reference": new_id(),
            "amount": self.money(world),
            "method": world.refundable_method,
            "description": "Café de olla & 2 conchas <ñ>",
            "expires_at": world.clock.now() + timedelta(minutes=30),
            "customer": self.customer,
            **self.extras,
        }
        return IntentRequest(**values | changes)

    def calling_request(self, world: ProviderWorld) -> IntentRequest:
        return self.request(world, method=self.calling_method or world.refundable_method)

    async def create(self, world: ProviderWorld, **changes: Any) -> tuple[str, Created]:
        request = self.request(world, **changes)
        return str(request.reference), await world.provider.create_payment_intent(request)

    async def paid(self, world: ProviderWorld) -> tuple[str, Created]:
        reference, created = await self.create(world)
        await world.pay(reference)
        return reference, created

    def refund_request(self, world: ProviderWorld, created: Created, units: int, **changes: Any) -> RefundRequest:
        values: dict[str, Any] = {
            "reference": new_id(),
            "provider_ref": created.provider_ref,
            "amount": self.money(world, units),
        }
        return RefundRequest(**values | changes)

    def tampered(self, webhook: WebhookRequest) -> Iterable[WebhookRequest]:
        """The same with a change in something signed."""
        body = webhook.body
        for changed in (body + b" ", body[1:], body.replace(b"15050", b"15051"), b""):
            yield replace(webhook, body=changed)

    def unsigned(self, webhook: WebhookRequest) -> WebhookRequest:
        return replace(webhook, headers={})

    async def assert_not_found(self, world: ProviderWorld, request: RefundRequest) -> None:
        if world.provider.capabilities.shows_refunds_under_way:
            assert await world.provider.find_refund(request) is None
        else:
            with pytest.raises(ProviderUnavailable):
                await world.provider.find_refund(request)

    # Creating

    @pytest.mark.parametrize("method", list(PaymentMethod))
    async def test_offered_methods_are_created_and_the_others_refused(
        self, world: ProviderWorld, method: PaymentMethod
    ) -> None:
        request = self.request(world, method=method)
        if method not in world.provider.capabilities.methods:
            with pytest.raises(MethodNotSupported):
                await world.provider.create_payment_intent(request)
            return
        created = await world.provider.create_payment_intent(request)
        assert created.status is ProviderStatus.PENDING
        if created.expires_at is not None:
            assert timedelta(seconds=-1) < created.expires_at - request.expires_at < timedelta(minutes=1)
        expected = {PaymentMethod.PAYMENT_LINK: PayByLink, PaymentMethod.BANK_TRANSFER: PayByTransfer}
        assert isinstance(created.instructions, expected.get(method, PayByQr))
        if isinstance(created.instructions, PayByQr):
            assert created.instructions.native is world.provider.capabilities.methods[method].native_qr
        if isinstance(created.instructions, PayByTransfer):
            assert (created.instructions.clabe is None) != (created.instructions.url is None)

    async def test_the_provider_holds_what_was_asked(self, world: ProviderWorld) -> None:
        customer = replace(self.customer, name="Ana Ruiz", email="ana@example.com", phone="+525512345678")
        request = self.request(world, customer=customer)
        created = await world.provider.create_payment_intent(request)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.amount == request.amount
        assert payment.our_reference == str(request.reference)
        assert payment.status is ProviderStatus.PENDING
        assert payment.failure_reason is None
        assert payment.instructions in (created.instructions, None)
        assert not payment.refunded

    async def test_a_qr_code_can_be_had_again(self, world: ProviderWorld) -> None:
        _, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        assert await world.provider.generate_qr_code(created.provider_ref) == created.instructions
        _, link = await self.create(world, method=PaymentMethod.PAYMENT_LINK)
        with pytest.raises(MethodNotSupported):
            await world.provider.generate_qr_code(link.provider_ref)

    @pytest.mark.parametrize("units", [0, -1, -15050])
    async def test_an_amount_that_is_not_positive_never_leaves(self, world: ProviderWorld, units: int) -> None:
        request = self.request(world, amount=self.money(world, units))
        with pytest.raises(ProviderRejected):
            await world.provider.create_payment_intent(request)
        assert (await world.tally(str(request.reference))).payments == 0

    async def test_another_currency_never_leaves(self, world: ProviderWorld) -> None:
        other = next(currency for currency in Currency if currency is not world.provider.currency)
        request = self.request(world, amount=Money(15050 * self.unit, other))
        with pytest.raises(ProviderRejected):
            await world.provider.create_payment_intent(request)
        assert (await world.tally(str(request.reference))).payments == 0

    async def test_an_expiry_out_of_range_is_refused_not_bent(self, world: ProviderWorld) -> None:
        capability = world.provider.capabilities.methods[world.refundable_method]
        moment = timedelta(minutes=1)
        for lifetime in (-moment, timedelta(), capability.min_expiry - moment, capability.max_expiry + moment):
            request = self.request(world, expires_at=world.clock.now() + lifetime)
            with pytest.raises(ProviderRejected):
                await world.provider.create_payment_intent(request)
            assert (await world.tally(str(request.reference))).payments == 0

    async def test_what_a_method_needs_is_asked_for_before_the_call(self, world: ProviderWorld) -> None:
        for method, capability in world.provider.capabilities.methods.items():
            if capability.needs:
                bare = self.request(world, method=method, customer=Customer(), **dict.fromkeys(self.extras))
                with pytest.raises(ProviderRejected) as caught:
                    await world.provider.create_payment_intent(bare)
                assert caught.value.param in capability.needs

    # Confirming

    async def test_paid_is_confirmed(self, world: ProviderWorld) -> None:
        reference, created = await self.create(world)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        assert isinstance(await world.provider.confirm_payment(expected), NotConfirmed)
        await world.pay(reference)
        confirmation = await world.provider.confirm_payment(expected)
        assert isinstance(confirmation, Confirmed)
        assert confirmation.payment.status is ProviderStatus.CONFIRMED
        assert confirmation.payment.paid_at is not None

    async def test_a_payment_that_is_not_the_expected_one_is_a_mismatch(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        for expected, difference in (
            (ExpectedPayment(created.provider_ref, reference, self.money(world, 15051)), "amount"),
            (ExpectedPayment(created.provider_ref, str(new_id()), self.money(world)), "reference"),
        ):
            confirmation = await world.provider.confirm_payment(expected)
            assert isinstance(confirmation, Mismatch)
            assert confirmation.differences == (difference,)

    async def test_declined_and_expired_are_failures_with_their_reason(self, world: ProviderWorld) -> None:
        for happen, reason in ((world.decline, FailureReason.DECLINED), (world.expire, FailureReason.EXPIRED)):
            reference, created = await self.create(world)
            await happen(reference)
            payment = await world.provider.fetch_payment(created.provider_ref)
            assert payment.status is ProviderStatus.FAILED
            assert payment.failure_reason is reason

    async def test_a_status_nobody_listed_stays_pending(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        await world.next_status_is_unlisted(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.PENDING
        assert payment.unlisted
        assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.CONFIRMED

    @pytest.mark.parametrize("provider_ref", ["ord_unknown", "../webhooks", "", "x" * 500, "ñ", "a/b?c#d"])
    async def test_an_unknown_payment_is_not_found(self, world: ProviderWorld, provider_ref: str) -> None:
        with pytest.raises(PaymentNotFound):
            await world.provider.fetch_payment(provider_ref)

    # Cancelling

    async def test_a_pending_payment_is_cancelled_as_often_as_asked(self, world: ProviderWorld) -> None:
        for method in world.provider.capabilities.methods:
            _, created = await self.create(world, method=method)
            if not world.provider.capabilities.cancels:
                with pytest.raises(ProviderRejected):
                    await world.provider.cancel(created.provider_ref)
                continue
            for _ in range(2):
                cancellation = await world.provider.cancel(created.provider_ref)
                assert isinstance(cancellation, Canceled)
            payment = await world.provider.fetch_payment(created.provider_ref)
            assert payment.failure_reason is FailureReason.CANCELED

    async def test_a_paid_payment_is_not_cancelled(self, world: ProviderWorld) -> None:
        _, created = await self.paid(world)
        cancellation = await world.provider.cancel(created.provider_ref)
        assert isinstance(cancellation, NotCanceled)
        assert cancellation.payment.status is ProviderStatus.CONFIRMED

    async def test_an_unanswered_cancellation_can_be_asked_again(self, world: ProviderWorld) -> None:
        if not world.provider.capabilities.cancels:
            return
        reference, created = await self.create(world)
        await world.next_takes_effect_unanswered(Verb.CANCEL, reference)
        with pytest.raises(OutcomeUnknown):
            await world.provider.cancel(created.provider_ref)
        assert isinstance(await world.provider.cancel(created.provider_ref), Canceled)

    # Refunding

    async def test_refunds_in_parts_up_to_the_whole_and_no_further(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        first = await world.provider.refund(self.refund_request(world, created, 5000))
        await world.settle_refunds(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.PARTIALLY_REFUNDED
        assert payment.refunded == self.money(world, 5000)
        second = await world.provider.refund(
            self.refund_request(world, created, 10050, known_refunds=frozenset({first.refund_ref}))
        )
        assert first.refund_ref != second.refund_ref
        assert (first.amount, second.amount) == (self.money(world, 5000), self.money(world, 10050))
        await world.settle_refunds(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.REFUNDED
        with pytest.raises(ProviderRejected):
            await world.provider.refund(self.refund_request(world, created, 1))
        assert await world.tally(reference) == Tally(payments=1, charges=1, refunds=2)

    async def test_two_refunds_of_one_amount_are_told_apart(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        first = await world.provider.refund(self.refund_request(world, created, 1000))
        await world.settle_refunds(reference)
        request = self.refund_request(world, created, 1000, known_refunds=frozenset({first.refund_ref}))
        await self.assert_not_found(world, request)
        second = await world.provider.refund(request)
        assert second.refund_ref != first.refund_ref

    async def test_a_refund_is_read_back(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        refund = await world.provider.refund(self.refund_request(world, created, 700))
        found = await world.provider.fetch_refund(created.provider_ref, refund.refund_ref)
        assert found.amount == self.money(world, 700)
        if world.provider.capabilities.methods[world.refundable_method].asynchronous_refunds:
            assert (refund.status, found.status) == (RefundStatus.PENDING, RefundStatus.PENDING)
            await world.settle_refunds(reference)
            found = await world.provider.fetch_refund(created.provider_ref, refund.refund_ref)
        assert found.status is RefundStatus.SUCCEEDED
        with pytest.raises(PaymentNotFound):
            await world.provider.fetch_refund(created.provider_ref, "unknown")

    @pytest.mark.parametrize("units", [0, -1, 15051])
    async def test_an_impossible_refund_is_refused(self, world: ProviderWorld, units: int) -> None:
        reference, created = await self.paid(world)
        with pytest.raises(ProviderRejected):
            await world.provider.refund(self.refund_request(world, created, units))
        assert (await world.tally(reference)).refunds == 0

    async def test_a_pending_payment_is_not_refunded(self, world: ProviderWorld) -> None:
        _, created = await self.create(world)
        with pytest.raises(ProviderRejected):
            await world.provider.refund(self.refund_request(world, created, 100))

    async def test_an_unanswered_refund_is_found_by_reading(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        request = self.refund_request(world, created, 5000)
        await world.next_takes_effect_unanswered(Verb.REFUND, reference)
        with pytest.raises(OutcomeUnknown):
            await world.provider.refund(request)
        if not world.provider.capabilities.shows_refunds_under_way:
            await self.assert_not_found(world, request)
            await world.settle_refunds(reference)
        found = await world.provider.find_refund(request)
        assert found is not None
        assert found.amount == request.amount
        assert (await world.tally(reference)).refunds == 1

    async def test_a_refund_that_never_arrived_is_not_found(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        request = self.refund_request(world, created, 5000)
        await world.next_is_swallowed(Verb.REFUND, reference)
        with pytest.raises(OutcomeUnknown):
            await world.provider.refund(request)
        await self.assert_not_found(world, request)

    # When the answer is missing

    async def test_an_unanswered_creation_is_found_by_our_reference(self, world: ProviderWorld) -> None:
        for lose in (world.next_takes_effect_unanswered, world.next_takes_effect_garbled):
            request = self.calling_request(world)
            await lose(Verb.CREATE, str(request.reference))
            with pytest.raises(OutcomeUnknown):
                await world.provider.create_payment_intent(request)
            payment = await world.provider.find_payment(str(request.reference))
            assert (payment is not None) is world.provider.capabilities.finds_by_reference
            if payment is not None:
                assert payment.amount == request.amount
                assert payment.instructions is not None
            assert (await world.tally(str(request.reference))).payments == 1

    async def test_a_creation_that_never_arrived_is_not_found(self, world: ProviderWorld) -> None:
        request = self.calling_request(world)
        await world.next_is_swallowed(Verb.CREATE, str(request.reference))
        with pytest.raises(OutcomeUnknown):
            await world.provider.create_payment_intent(request)
        assert await world.provider.find_payment(str(request.reference)) is None

    async def test_a_failing_creation_is_unknown_and_a_failing_read_is_not(self, world: ProviderWorld) -> None:
        request = self.calling_request(world)
        await world.next_fails(Verb.CREATE, str(request.reference))
        with pytest.raises(OutcomeUnknown):
            await world.provider.create_payment_intent(request)
        reference, created = await self.create(world)
        await world.next_fails(Verb.FETCH, reference)
        with pytest.raises(ProviderUnavailable):
            await world.provider.fetch_payment(created.provider_ref)

    async def test_a_limited_call_did_nothing_and_says_when(self, world: ProviderWorld) -> None:
        request = self.calling_request(world)
        await world.next_is_limited(Verb.CREATE, str(request.reference), 7)
        with pytest.raises(ProviderUnavailable) as caught:
            await world.provider.create_payment_intent(request)
        assert caught.value.retry_after == 7
        assert (await world.tally(str(request.reference))).payments == 0

    async def test_nobody_there_is_unavailable_for_reads_and_writes(self, world: ProviderWorld) -> None:
        _, created = await self.create(world)
        provider = await world.unreachable()
        try:
            with pytest.raises(ProviderUnavailable):
                await provider.create_payment_intent(self.calling_request(world))
            with pytest.raises(ProviderUnavailable):
                await provider.fetch_payment(created.provider_ref)
        finally:
            await provider.close()

    # Webhooks

    async def test_a_webhook_is_verified_and_read(self, world: ProviderWorld) -> None:
        reference, created = await self.paid(world)
        webhook = await world.webhook(reference)
        world.provider.verify_webhook_signature(webhook)
        event = world.provider.parse_webhook(webhook)
        assert event.provider == world.provider.name
        assert event.provider_ref in (created.provider_ref, None)
        assert event.our_reference in (reference, None)
        assert event.provider_ref or event.our_reference
        assert abs(event.occurred_at - world.clock.now()) < timedelta(minutes=5)

    async def test_a_repetition_has_the_same_identity_and_another_event_has_not(self, world: ProviderWorld) -> None:
        reference, _ = await self.paid(world)
        first = await world.webhook(reference)
        again = await world.webhook_again(reference)
        other_reference, _ = await self.paid(world)
        other = await world.webhook(other_reference)
        ids = [world.provider.parse_webhook(hook).event_id for hook in (first, again, other)]
        assert ids[0] == ids[1] != ids[2]

    async def test_a_change_in_what_is_signed_is_seen(self, world: ProviderWorld) -> None:
        reference, _ = await self.paid(world)
        for changed in self.tampered(await world.webhook(reference)):
            with pytest.raises(InvalidSignature):
                world.provider.verify_webhook_signature(changed)

    async def test_what_proves_a_webhook_is_named(self, world: ProviderWorld) -> None:
        reference, _ = await self.paid(world)
        webhook = await world.webhook(reference)
        kept = replace(
            webhook,
            headers={name: value for name, value in webhook.headers.items() if name.lower() in world.provider.evidence},
            query=[(name, value) for name, value in webhook.query if name in world.provider.evidence],
        )
        world.provider.verify_webhook_signature(kept)

    async def test_a_webhook_without_its_signature_is_refused(self, world: ProviderWorld) -> None:
        reference, _ = await self.paid(world)
        webhook = await world.webhook(reference)
        with pytest.raises(InvalidSignature):
            world.provider.verify_webhook_signature(self.unsigned(webhook))

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"id": 1}', b"\xff", b'{"a": 1, "a": 2}'])
    async def test_a_body_that_is_no_event_is_malformed(self, world: ProviderWorld, body: bytes) -> None:
        with pytest.raises(MalformedWebhook):
            world.provider.parse_webhook(WebhookRequest(body, {}))
