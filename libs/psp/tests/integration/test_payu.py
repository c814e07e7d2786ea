"""PayU's adapter against PayU's twin."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
from kernel import Clock, FixedClock, Money, SystemClock, new_id
from psp.colombia.payu.adapter import PayuAdapter
from psp.colombia.payu.settings import PayuSettings
from psp.provider import (
    Bank,
    BuyerDevice,
    Canceled,
    Confirmed,
    Customer,
    Declined,
    ExpectedPayment,
    FailureReason,
    IdentityDocument,
    IntentRequest,
    InvalidSignature,
    MethodNotSupported,
    Mismatch,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
    PayByTransfer,
    PaymentMethod,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundStatus,
    WebhookRequest,
)
from psp.testing.contract import ProviderContract
from psp.testing.world import Tally, Verb
from twins.payu.settings import PayuTwinSettings
from twins.testing import ProviderTwin, running_twins

pytestmark = pytest.mark.contract

PAGE = "https://cobro.example/p/1"
SIGNED = {"merchant_id", "reference_sale", "value", "currency", "state_pol"}
_OPERATIONS = {Verb.CREATE: "transactions.submit", Verb.FETCH: None, Verb.REFUND: "refunds.submit"}


@dataclass
class PayuWorld:
    """asked: by reference. PayU hears of a checkout when the buyer comes with its form, so the buyer comes first."""

    provider: PayuAdapter
    clock: Clock
    twin: ProviderTwin
    inbox: Any
    refundable_method: PaymentMethod = PaymentMethod.PAYMENT_LINK
    asked: dict[str, IntentRequest] = field(default_factory=dict)

    async def visit(self, reference: str) -> int:
        """The status of the page the buyer comes to."""
        form = self.provider.checkout_form(self.asked[reference])
        if form is None:
            return 200
        async with (
            aiohttp.ClientSession() as session,
            session.post(form.action, data=dict(form.fields)) as page,
        ):
            return page.status

    async def pay(self, reference: str) -> None:
        assert await self.visit(reference) == 200
        await self.twin.pay(reference)

    async def decline(self, reference: str) -> None:
        await self.visit(reference)
        await self.twin.decline(reference)

    async def expire(self, reference: str) -> None:
        await self.visit(reference)
        await self.twin.expire(reference)

    async def settle_refunds(self, reference: str) -> None:
        await self.twin.settle_refunds(reference)

    async def tally(self, reference: str) -> Tally:
        journal = await self.twin.journal(reference)
        return Tally(journal["payments"], journal["charges"], journal["refunds"])

    async def webhook(self, reference: str) -> WebhookRequest:
        return (await self.inbox.about(reference))[-1]

    async def webhook_again(self, reference: str) -> WebhookRequest:
        await self.webhook(reference)
        [delivery, *_] = await self.twin.deliveries(reference)
        await self.twin.resend(delivery["event_id"])
        return (await self.inbox.about(reference, count=2))[-1]

    async def next_takes_effect_unanswered(self, verb: Verb, reference: str) -> None:
        await self._fault("timeout_after_charging", verb, reference)

    async def next_takes_effect_garbled(self, verb: Verb, reference: str) -> None:
        await self._fault("garbage_json", verb, reference)

    async def next_is_swallowed(self, verb: Verb, reference: str) -> None:
        await self._fault("timeout_before", verb, reference)

    async def next_fails(self, verb: Verb, reference: str) -> None:
        await self._fault("http_500", verb, reference)

    async def next_is_limited(self, verb: Verb, reference: str, retry_after: int) -> None:
        await self._fault("http_429", verb, reference, seconds=retry_after)

    async def _fault(self, kind: str, verb: Verb, reference: str, **options: Any) -> None:
        await self.twin.fault(kind, operation=_OPERATIONS[verb], reference=reference, **options)

    async def next_status_is_unlisted(self, reference: str) -> None:
        await self.twin.fault("unlisted_status", reference=reference)

    async def unreachable(self) -> PaymentProvider:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return make_adapter(self.twin, api_url=f"http://127.0.0.1:{port}")


def make_adapter(twin: ProviderTwin, clock: Clock | None = None, **settings: Any) -> PayuAdapter:
    own = PayuTwinSettings()
    values = {
        "api_url": twin.api_url,
        "checkout_url": f"{twin.api_url}/ppp-web-gateway-payu/",
        "api_key": own.api_key,
        "api_login": own.api_login,
        "merchant_id": str(own.merchant_id),
        "account_id": str(own.account_id),
        "timeout_seconds": 1.0,
        **settings,
    }
    return PayuAdapter.open(clock or SystemClock(), PayuSettings(**values))


@asynccontextmanager
async def other_world(inbox: Any, clock: Clock | None = None, **switches: Any) -> AsyncIterator[PayuWorld]:
    """With a twin of its own, whose switches stand otherwise."""
    own = PayuTwinSettings(**{"webhook_url": inbox.url, "refund_seconds": 1e6, **switches})
    async with running_twins(payu=own) as twins:
        twin = twins.provider("payu")
        adapter = make_adapter(twin, clock)
        try:
            yield PayuWorld(adapter, clock or SystemClock(), twin, inbox)
        finally:
            await adapter.close()


@pytest.fixture(scope="module")
async def twin(inbox: Any) -> AsyncIterator[ProviderTwin]:
    async with running_twins(payu=PayuTwinSettings(webhook_url=inbox.url, refund_seconds=1e6)) as twins:
        yield twins.provider("payu")


@pytest.fixture
async def world(twin: ProviderTwin, inbox: Any) -> AsyncIterator[PayuWorld]:
    adapter = make_adapter(twin)
    yield PayuWorld(adapter, SystemClock(), twin, inbox)
    await adapter.close()


class TestPayu(ProviderContract):
    unit = 100
    customer = Customer(
        name="Ana Ruiz", email="ana@example.com", phone="+573001234567", document=IdentityDocument("CC", "123456789")
    )
    extras = {  # noqa: RUF012 - as the contract declares it
        "bank": "1022",
        "page_url": PAGE,
        "device": BuyerDevice("127.0.0.1", "Mozilla/5.0", "vghs6tvkcle931686k1900o6e1", "pt1t38347bs6jc9ruv2ecpv7o2"),
    }
    calling_method = PaymentMethod.BANK_TRANSFER

    def request(self, world: PayuWorld, **changes: Any) -> IntentRequest:  # type: ignore[override]
        request = super().request(world, **changes)
        world.asked[str(request.reference)] = request
        return request

    def tampered(self, webhook: WebhookRequest) -> Iterable[WebhookRequest]:
        """Five fields are signed and no more: what the others say is never believed."""
        fields = parse_qsl(webhook.body.decode(), keep_blank_values=True)
        for name in SIGNED:
            changed = [(key, "1" if key == name else value) for key, value in fields]
            yield replace(webhook, body=urlencode(changed).encode())
            yield replace(webhook, body=urlencode([pair for pair in fields if pair[0] != name]).encode())
            yield replace(webhook, body=webhook.body + f"&{name}=1".encode())
        yield replace(webhook, body=webhook.body.replace(b"15050.00", b"15051.00"))
        yield replace(webhook, body=b"")

    def unsigned(self, webhook: WebhookRequest) -> WebhookRequest:
        fields = parse_qsl(webhook.body.decode(), keep_blank_values=True)
        return replace(webhook, body=urlencode([pair for pair in fields if pair[0] != "sign"]).encode())

    # Checkout: a form

    async def test_payu_knows_nothing_before_the_buyer_comes(self, world: PayuWorld) -> None:
        reference, created = await self.create(world)
        assert await world.tally(reference) == Tally(0, 0, 0)
        assert await world.provider.find_payment(reference) is None
        assert await world.visit(reference) == 200
        # Come, and not yet tried to pay: PayU shows nothing either.
        assert await world.provider.find_payment(reference) is None
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert (payment.status, payment.instructions) == (ProviderStatus.PENDING, PayByLink(PAGE))

    async def test_a_code_is_the_address_of_the_page(self, world: PayuWorld) -> None:
        _, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        assert created.instructions == PayByQr(PAGE, native=False)
        _, transfer = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
        with pytest.raises(MethodNotSupported):
            await world.provider.generate_qr_code(transfer.provider_ref)
        assert world.provider.checkout_form(self.request(world, method=PaymentMethod.BANK_TRANSFER)) is None

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"signature_digest": "sha1"},
            {"signature_digest": "sha256"},
            {"payment_methods": "VISA,PSE", "notify_url": "https://cobro.example/webhooks/payu"},
            {"response_url": "https://cobro.example/gracias", "test": True},
        ],
    )
    async def test_the_form_is_taken(self, world: PayuWorld, settings: dict[str, Any]) -> None:
        world.provider = make_adapter(world.twin, **settings)
        reference, _ = await self.create(world, amount=Money.of("15050.50", "COP"))
        assert await world.visit(reference) == 200
        [order] = await world.twin.payments(reference)
        assert (order["amount"], order["is_test"]) == (1505050, settings.get("test", False))
        await world.provider.close()

    async def test_a_form_is_not_handed_out_after_the_end(self, world: PayuWorld) -> None:
        request = self.request(world, expires_at=world.clock.now() - timedelta(seconds=1))
        with pytest.raises(ProviderRejected):
            world.provider.checkout_form(request)

    async def test_a_page_nobody_came_to_expires_by_our_clock(self, inbox: Any) -> None:
        clock = FixedClock()
        async with other_world(inbox, clock) as world:
            _, created = await self.create(world)
            clock.advance(timedelta(minutes=30 + 14))
            assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.PENDING
            clock.advance(timedelta(minutes=2))
            payment = await world.provider.fetch_payment(created.provider_ref)
            assert (payment.failure_reason, payment.derived) == (FailureReason.EXPIRED, True)

    async def test_money_that_comes_after_a_declined_attempt_is_seen(self, world: PayuWorld) -> None:
        """Two attempts of one order: another transaction, the same references."""
        reference, created = await self.create(world)
        await world.decline(reference)
        await world.twin.pay(reference, force=True)
        assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.CONFIRMED
        hooks = await world.inbox.about(reference, count=2)
        events = {world.provider.parse_webhook(hook).event_id for hook in hooks}
        ids = {dict(parse_qsl(hook.body.decode()))["transaction_id"] for hook in hooks}
        orders = {dict(parse_qsl(hook.body.decode()))["reference_pol"] for hook in hooks}
        assert (len(events), len(ids), len(orders)) == (2, 2, 1)

    async def test_a_form_paid_twice_is_a_mismatch(self, world: PayuWorld) -> None:
        reference, created = await self.create(world)
        await world.pay(reference)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        # The twin takes the same form for the same order, which PayU does not promise: another amount makes it two.
        world.asked[reference] = replace(world.asked[reference], amount=self.money(world, 500))
        await world.visit(reference)
        [second, first] = await world.twin.payments(reference)
        assert isinstance(await world.provider.confirm_payment(expected), Confirmed)
        await world.twin.pay(str(second["id"]))
        confirmation = await world.provider.confirm_payment(expected)
        assert isinstance(confirmation, Mismatch)
        assert confirmation.payment.amount == self.money(world, 15550)
        assert first["id"] != second["id"]

    # PSE

    async def test_a_transfer_leads_to_the_bank(self, world: PayuWorld) -> None:
        reference, created = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
        assert isinstance(created.instructions, PayByTransfer)
        url = created.instructions.url
        assert url is not None
        async with aiohttp.ClientSession() as session, session.get(url) as page:
            assert page.status == 200
            assert "15.050,00 COP" in await page.text()
        await world.pay(reference)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        assert isinstance(await world.provider.confirm_payment(expected), Confirmed)

    async def test_declined_and_expired_transfers(self, world: PayuWorld) -> None:
        for happen, reason in (
            (world.decline, FailureReason.DECLINED),
            (world.expire, FailureReason.EXPIRED),
        ):
            reference, created = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
            await happen(reference)
            payment = await world.provider.fetch_payment(created.provider_ref)
            assert payment.failure_reason is reason
            assert isinstance(await world.provider.cancel(created.provider_ref), Canceled)

    async def test_pse_takes_no_decimals(self, world: PayuWorld) -> None:
        request = self.request(world, method=PaymentMethod.BANK_TRANSFER, amount=Money.of("100.50", "COP"))
        with pytest.raises(ProviderRejected) as caught:
            await world.provider.create_payment_intent(request)
        assert caught.value.code == "amount_too_precise"

    async def test_an_unknown_document_or_bank_is_refused(self, world: PayuWorld) -> None:
        customer = replace(self.customer, document=IdentityDocument("RUT", "1-9"))
        for changes in ({"customer": customer}, {"bank": "9999"}):
            request = self.request(world, method=PaymentMethod.BANK_TRANSFER, **changes)
            with pytest.raises(ProviderRejected):
                await world.provider.create_payment_intent(request)
            assert (await world.tally(str(request.reference))).payments == 0

    async def test_an_unanswered_transfer_whose_bank_is_not_told_again(self, inbox: Any) -> None:
        async with other_world(inbox, show_bank_url=False) as world:
            request = self.calling_request(world)
            await world.next_takes_effect_unanswered(Verb.CREATE, str(request.reference))
            with pytest.raises(OutcomeUnknown):
                await world.provider.create_payment_intent(request)
            payment = await world.provider.find_payment(str(request.reference))
            assert payment is not None
            assert payment.instructions is None

    async def test_banks_are_remembered_for_a_day(self, inbox: Any) -> None:
        clock = FixedClock()
        async with other_world(inbox, clock) as world:
            banks = await world.provider.banks()
            assert Bank("1007", "BANCOLOMBIA") in banks
            assert "0" not in {bank.code for bank in banks}
            assert await world.provider.banks() is banks
            clock.advance(timedelta(days=1, seconds=1))
            assert await world.provider.banks() == banks
            calls = (await world.twin.journal())["calls"]
            assert [call["operation"] for call in calls] == ["banks.list"] * 2

    # Refunds

    async def test_pse_is_paid_back_by_hand(self, world: PayuWorld) -> None:
        reference, created = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
        await world.pay(reference)
        with pytest.raises(Declined) as caught:
            await world.provider.refund(self.refund_request(world, created, 5000))
        assert caught.value.code == "refund_needs_manual_payout"
        assert (await world.tally(reference)).refunds == 0

    async def test_one_refund_at_a_time(self, world: PayuWorld) -> None:
        reference, created = await self.paid(world)
        first = await world.provider.refund(self.refund_request(world, created, 1000))
        for known in ({first.refund_ref}, set()):
            with pytest.raises(ProviderRejected) as caught:
                await world.provider.refund(self.refund_request(world, created, 1000, known_refunds=frozenset(known)))
            assert caught.value.code == "request_in_progress"
        assert (await world.tally(reference)).refunds == 1

    async def test_a_refund_that_is_turned_down_may_be_asked_for_again(self, world: PayuWorld) -> None:
        reference, created = await self.paid(world)
        first = await world.provider.refund(self.refund_request(world, created, 15050))
        await world.twin.settle_refunds(reference, approved=False)
        seen = await world.provider.fetch_refund(created.provider_ref, first.refund_ref)
        assert seen.status is RefundStatus.FAILED
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert (payment.status, payment.refunded.minor) == (ProviderStatus.CONFIRMED, 0)
        again = self.refund_request(world, created, 15050, known_refunds=frozenset({first.refund_ref}))
        second = await world.provider.refund(again)
        await world.settle_refunds(reference)
        assert second.refund_ref != first.refund_ref
        found = await world.provider.fetch_refund(created.provider_ref, second.refund_ref)
        assert (found.status, found.refund_ref) == (RefundStatus.SUCCEEDED, second.refund_ref)
        assert [entry.refund_ref for entry in (await world.provider.fetch_payment(created.provider_ref)).refunds] == [
            first.refund_ref,
            second.refund_ref,
        ]

    async def test_less_than_a_hundred_pesos_is_not_given_back(self, world: PayuWorld) -> None:
        _, created = await self.paid(world)
        with pytest.raises(ProviderRejected) as caught:
            await world.provider.refund(self.refund_request(world, created, 99))
        assert caught.value.code == "amount_below_minimum"

    async def test_a_payment_too_young_to_be_given_back(self, inbox: Any) -> None:
        async with other_world(inbox, min_refund_age_seconds=600 * 50) as world:
            _, created = await self.paid(world)
            with pytest.raises(ProviderRejected):
                await world.provider.refund(self.refund_request(world, created, 1000))

    async def test_what_a_partial_refund_makes_of_an_order_is_a_setting(self, inbox: Any) -> None:
        async with other_world(inbox, partial_status="PARTIALLY_REFUNDED") as world:
            reference, created = await self.paid(world)
            await world.provider.refund(self.refund_request(world, created, 1000))
            await world.settle_refunds(reference)
            cautious = await world.provider.fetch_payment(created.provider_ref)
            assert (cautious.status, cautious.unlisted) == (ProviderStatus.PENDING, True)
            told = make_adapter(world.twin, captured_statuses="CAPTURED,PARTIALLY_REFUNDED")
            payment = await told.fetch_payment(created.provider_ref)
            assert payment.status is ProviderStatus.PARTIALLY_REFUNDED
            await told.close()

    async def test_a_refund_never_seen_was_never_received(self, inbox: Any) -> None:
        clock = FixedClock(SystemClock().now())
        async with other_world(inbox, clock) as world:
            reference, created = await self.paid(world)
            request = self.refund_request(world, created, 1000)
            await world.next_is_swallowed(Verb.REFUND, reference)
            with pytest.raises(OutcomeUnknown):
                await world.provider.refund(request)
            clock.advance(timedelta(days=6))
            with pytest.raises(ProviderUnavailable):
                await world.provider.find_refund(request)
            clock.advance(timedelta(days=2))
            assert await world.provider.find_refund(request) is None

    # Doubt

    async def test_another_amount_is_a_mismatch(self, world: PayuWorld) -> None:
        reference, created = await self.create(world)
        await world.visit(reference)
        await world.twin.pay(reference, amount=100)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        confirmation = await world.provider.confirm_payment(expected)
        assert isinstance(confirmation, Mismatch)
        assert confirmation.differences == ("amount",)

    async def test_an_amount_read_wrong_is_a_mismatch(self, world: PayuWorld) -> None:
        reference, created = await self.paid(world)
        await world.twin.fault("wrong_amount_read", reference=reference)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        assert isinstance(await world.provider.confirm_payment(expected), Mismatch)

    async def test_money_of_another_account_or_mode_is_a_mismatch(self, world: PayuWorld) -> None:
        reference, created = await self.paid(world)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        for settings, kind in (
            ({"livemode": True}, Confirmed),
            ({"livemode": False}, Mismatch),
            ({"account_id": "1"}, Mismatch),
        ):
            adapter = make_adapter(world.twin, **settings)
            assert isinstance(await adapter.confirm_payment(expected), kind)
            await adapter.close()

    @pytest.mark.parametrize("absent", ["result", "payload", "list", "error"])
    async def test_nothing_there_is_read_in_every_form(self, inbox: Any, absent: str) -> None:
        async with other_world(inbox, absent=absent) as world:
            assert await world.provider.find_payment(str(new_id())) is None
            _, created = await self.create(world)
            assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.PENDING

    @pytest.mark.parametrize("error_status", [200, 400, 422])
    async def test_the_code_decides_not_the_status(self, inbox: Any, error_status: int) -> None:
        async with other_world(inbox, error_status=error_status) as world:
            request = self.request(world, method=PaymentMethod.BANK_TRANSFER, bank="9999")
            with pytest.raises(ProviderRejected):
                await world.provider.create_payment_intent(request)
            for name in ("api_key", "api_login"):
                adapter = make_adapter(world.twin, **{name: "wr0ng"})
                with pytest.raises(ProviderNotConfigured) as caught:
                    await adapter.create_payment_intent(self.calling_request(world))
                assert "wr0ng" not in str(caught.value)
                await adapter.close()

    # Confirmations

    @pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
    async def test_every_digest_holds(self, inbox: Any, digest: str) -> None:
        async with other_world(inbox, digest=digest) as world:
            reference, _ = await self.create(world, amount=Money.of("15050.26", "COP"))
            await world.pay(reference)
            webhook = await world.webhook(reference)
            world.provider.verify_webhook_signature(webhook)
            sign = dict(parse_qsl(webhook.body.decode()))["sign"]
            assert len(sign) == 2 * hashlib.new(digest, usedforsecurity=False).digest_size

    async def test_a_forged_webhook_is_told_from_the_true_one(self, world: PayuWorld) -> None:
        for kind in ("forged", "altered"):
            reference, _ = await self.create(world)
            await world.twin.fault(kind, reference=reference)
            await world.pay(reference)
            false, true = (await world.inbox.about(reference, count=2))[:2]
            with pytest.raises(InvalidSignature):
                world.provider.verify_webhook_signature(false)
            world.provider.verify_webhook_signature(true)

    async def test_refunds_are_told_by_no_webhook(self, world: PayuWorld) -> None:
        reference, created = await self.paid(world)
        await world.provider.refund(self.refund_request(world, created, 1000))
        await world.settle_refunds(reference)
        deliveries = await world.twin.deliveries(reference)
        assert [entry["type"] for entry in deliveries] == ["transaction.approved"]
