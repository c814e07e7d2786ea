"""Khipu's adapter against Khipu's twin."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from kernel import Clock, Currency, FixedClock, Money, SystemClock, new_id
from psp.chile.khipu.adapter import KhipuAdapter
from psp.chile.khipu.settings import KhipuSettings
from psp.provider import (
    Canceled,
    Confirmed,
    ExpectedPayment,
    FailureReason,
    IntentRequest,
    InvalidSignature,
    Mismatch,
    OutcomeUnknown,
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
    WebhookRequest,
)
from psp.testing.contract import ProviderContract
from psp.testing.world import Tally, Verb
from pydantic import SecretStr
from twins.khipu.settings import KhipuTwinSettings
from twins.testing import ProviderTwin, running_twins

pytestmark = pytest.mark.contract

KEY, SECRET = "khipu-key-of-a-test", "khipu-secret-of-a-test"


@dataclass
class KhipuWorld:
    provider: KhipuAdapter
    clock: Clock
    twin: ProviderTwin
    inbox: Any
    refundable_method: PaymentMethod = PaymentMethod.PAYMENT_LINK

    @property
    def operations(self) -> dict[Verb, str]:
        return {
            Verb.CREATE: "payments.create",
            Verb.FETCH: "payments.get",
            Verb.CANCEL: "payments.delete",
            Verb.REFUND: "refunds.create",
        }

    async def pay(self, reference: str) -> None:
        await self.twin.pay(reference)

    async def decline(self, reference: str) -> None:
        await self.twin.decline(reference)

    async def expire(self, reference: str) -> None:
        await self.twin.expire(reference)

    async def settle_refunds(self, reference: str) -> None:
        await self.twin.settle_refunds(reference)

    async def tally(self, reference: str) -> Tally:
        journal = await self.twin.journal(reference)
        return Tally(journal["payments"], journal["charges"], journal["refunds"])

    async def webhook(self, reference: str) -> WebhookRequest:
        return (await self.inbox.about(reference))[-1]

    async def webhook_again(self, reference: str) -> WebhookRequest:
        await self.inbox.about(reference)
        await self.twin.resend((await self.twin.deliveries(reference))[0]["event_id"])
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
        await self.twin.fault(kind, operation=self.operations[verb], reference=reference, **options)

    async def next_status_is_unlisted(self, reference: str) -> None:
        await self.twin.fault("unlisted_status", reference=reference)

    async def unreachable(self) -> PaymentProvider:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return make_adapter(self.twin, self.inbox, self.clock, api_url=f"http://127.0.0.1:{port}")


def make_adapter(twin: ProviderTwin, inbox: Any, clock: Clock | None = None, **settings: Any) -> KhipuAdapter:
    values = {
        "api_url": twin.api_url,
        "api_key": KEY,
        "webhook_secret": SECRET,
        "notify_url": inbox.url,
        "timeout_seconds": 1.0,
        **settings,
    }
    return KhipuAdapter.open(clock or SystemClock(), KhipuSettings(**values))


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[ProviderTwin]:
    """refund_seconds: so long that a test decides when a refund is carried out."""
    values = {"api_key": SecretStr(KEY), "secret": SecretStr(SECRET), "refund_seconds": 1e6, **settings}
    async with running_twins(khipu=KhipuTwinSettings(**values)) as twins:
        yield twins.provider("khipu")


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[ProviderTwin]:
    async with running() as twin:
        yield twin


@pytest.fixture
async def world(twin: ProviderTwin, inbox: Any) -> AsyncIterator[KhipuWorld]:
    clock = SystemClock()
    adapter = make_adapter(twin, inbox, clock)
    yield KhipuWorld(adapter, clock, twin, inbox)
    await adapter.close()


class TestKhipu(ProviderContract):
    async def test_a_qr_code_is_the_address_of_the_payment_page(self, world: KhipuWorld) -> None:
        _, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        payment = (await world.twin.payments(created.provider_ref))[0]
        code = await world.provider.generate_qr_code(created.provider_ref)
        assert code.content == payment["payment_url"]
        assert not code.native

    @pytest.mark.parametrize(
        ("transfer", "address"), [("simplified", "simplified_transfer_url"), ("regular", "transfer_url")]
    )
    async def test_a_transfer_leads_to_khipu(self, world: KhipuWorld, transfer: str, address: str) -> None:
        adapter = make_adapter(world.twin, world.inbox, transfer=transfer)
        created = await adapter.create_payment_intent(self.request(world, method=PaymentMethod.BANK_TRANSFER))
        payment = (await world.twin.payments(created.provider_ref))[0]
        assert created.instructions == PayByTransfer(url=payment[address])
        await adapter.close()

    async def test_what_was_lost_is_made_anew(self, world: KhipuWorld) -> None:
        """Two payments there, and only the second can be paid: nobody holds the address of the first."""
        request = self.request(world)
        reference = str(request.reference)
        await world.next_takes_effect_unanswered(Verb.CREATE, reference)
        with pytest.raises(OutcomeUnknown):
            await world.provider.create_payment_intent(request)
        created = await world.provider.create_payment_intent(request)
        await world.twin.pay(created.provider_ref)
        expected = ExpectedPayment(created.provider_ref, reference, request.amount)
        assert isinstance(await world.provider.confirm_payment(expected), Confirmed)
        assert await world.tally(reference) == Tally(payments=2, charges=1, refunds=0)

    async def test_expiry_is_our_own_conclusion_and_late_money_is_seen(self, world: KhipuWorld) -> None:
        reference, created = await self.create(world)
        await world.expire(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert (payment.failure_reason, payment.derived) == (FailureReason.EXPIRED, True)
        assert payment.status_text == "pending/pending"
        await world.twin.pay(reference, force=True)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.CONFIRMED

    async def test_money_that_arrives_after_a_cancellation_is_seen(self, world: KhipuWorld) -> None:
        reference, created = await self.create(world)
        await world.provider.cancel(created.provider_ref)
        await world.twin.pay(reference, force=True)
        assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.CONFIRMED

    async def test_a_payment_to_another_account_is_a_mismatch(self, world: KhipuWorld) -> None:
        reference, created = await self.paid(world)
        expected = ExpectedPayment(created.provider_ref, reference, Money(15050, world.provider.currency))
        for receiver_id, kind in (("990939", Confirmed), ("990940", Mismatch)):
            adapter = make_adapter(world.twin, world.inbox, receiver_id=receiver_id)
            confirmation = await adapter.confirm_payment(expected)
            assert isinstance(confirmation, kind)
            assert getattr(confirmation, "differences", ("account",)) == ("account",)
            await adapter.close()

    async def test_an_amount_read_wrong_or_paid_wrong_is_a_mismatch(self, world: KhipuWorld) -> None:
        for break_it in (
            lambda reference: world.twin.fault("wrong_amount_read", reference=reference),
            lambda reference: world.twin.pay(reference, amount=100, force=True),
        ):
            reference, created = await self.create(world)
            await break_it(reference)
            expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
            assert isinstance(await world.provider.confirm_payment(expected), Mismatch)

    async def test_a_refused_key_is_a_matter_of_configuration(self, world: KhipuWorld) -> None:
        adapter = make_adapter(world.twin, world.inbox, api_key="key_wrong")
        with pytest.raises(ProviderNotConfigured) as caught:
            await adapter.create_payment_intent(self.request(world))
        await adapter.close()
        assert "key_wrong" not in str(caught.value)

    async def test_a_garbled_read_is_unavailable(self, world: KhipuWorld) -> None:
        reference, created = await self.create(world)
        await world.twin.fault("garbage_json", reference=reference)
        with pytest.raises(ProviderUnavailable):
            await world.provider.fetch_payment(created.provider_ref)

    async def test_a_deletion_that_cannot_be_read_back_is_unknown(self, world: KhipuWorld) -> None:
        reference, created = await self.create(world)
        await world.next_fails(Verb.FETCH, reference)
        with pytest.raises(OutcomeUnknown):
            await world.provider.cancel(created.provider_ref)
        assert isinstance(await world.provider.cancel(created.provider_ref), Canceled)

    async def test_a_refund_that_khipu_gives_up_has_failed(self, world: KhipuWorld) -> None:
        reference, created = await self.paid(world)
        refund = await world.provider.refund(self.refund_request(world, created, 15050))
        assert not (await world.provider.fetch_payment(created.provider_ref)).refunded
        await world.twin.settle_refunds(reference, approved=False)
        refund = await world.provider.fetch_refund(created.provider_ref, refund.refund_ref)
        assert (refund.status, refund.status_text) == (RefundStatus.FAILED, "expired")
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.CONFIRMED
        assert not payment.refunded

    async def test_what_is_left_is_given_back_whole(self, world: KhipuWorld) -> None:
        """`full` means what is left, and is only said when that is what was asked for."""
        reference, created = await self.paid(world)
        first = await world.provider.refund(self.refund_request(world, created, 50))
        second = await world.provider.refund(
            self.refund_request(world, created, 15000, known_refunds=frozenset({first.refund_ref}))
        )
        assert second.amount == self.money(world, 15000)
        await world.settle_refunds(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert (payment.status, payment.refunded) == (ProviderStatus.REFUNDED, payment.amount)

    async def test_a_forged_webhook_is_told_from_the_true_one(self, world: KhipuWorld) -> None:
        for kind in ("forged", "altered"):
            reference, _ = await self.create(world)
            await world.twin.fault(kind, reference=reference)
            await world.pay(reference)
            false, true = (await world.inbox.about(reference, count=2))[:2]
            with pytest.raises(InvalidSignature):
                world.provider.verify_webhook_signature(false)
            world.provider.verify_webhook_signature(true)

    async def test_a_webhook_older_than_the_window_is_refused(self, world: KhipuWorld) -> None:
        reference, _ = await self.paid(world)
        webhook = await world.webhook(reference)
        late = FixedClock(now())
        adapter = make_adapter(world.twin, world.inbox, late, webhook_tolerance_seconds=600)
        adapter.verify_webhook_signature(webhook)
        late.advance(timedelta(seconds=601))
        with pytest.raises(InvalidSignature) as caught:
            adapter.verify_webhook_signature(webhook)
        assert caught.value.code == "signature_too_old"
        await adapter.close()


class RefundsByPayment(KhipuWorld):
    @property
    def operations(self) -> dict[Verb, str]:
        return super().operations | {Verb.REFUND: "payments.refund"}


@pytest.fixture(scope="module")
async def other_twin() -> AsyncIterator[ProviderTwin]:
    async with running(create_status=201, amounts="text", sign_again=True) as twin:
        yield twin


class TestWhereKhipuLeavesItOpen(ProviderContract):
    """The same contract with every other choice: the refund endpoint of Khipu's pages, 201, amounts as text."""

    @pytest.fixture
    async def world(self, other_twin: ProviderTwin, inbox: Any) -> AsyncIterator[KhipuWorld]:
        clock = SystemClock()
        adapter = make_adapter(other_twin, inbox, clock, refund_api="payment", qr_address="app_url", transfer="regular")
        yield RefundsByPayment(adapter, clock, other_twin, inbox)
        await adapter.close()


@pytest.fixture(scope="module")
async def silent_twin() -> AsyncIterator[ProviderTwin]:
    async with running(list_refunds=False) as twin:
        yield twin


class TestRefundsThatAreNotListed:
    """As Khipu's pages have it: a refund is a message, and a payment says at most that all of it was reversed."""

    @pytest.fixture
    async def adapter(self, silent_twin: ProviderTwin, inbox: Any) -> AsyncIterator[KhipuAdapter]:
        adapter = make_adapter(silent_twin, inbox, refund_api="payment")
        yield adapter
        await adapter.close()

    async def paid(self, twin: ProviderTwin, adapter: KhipuAdapter) -> str:
        request = IntentRequest(
            new_id(), Money(1000, Currency.CLP), PaymentMethod.PAYMENT_LINK, "Pan", now() + timedelta(hours=1)
        )
        created = await adapter.create_payment_intent(request)
        await twin.pay(created.provider_ref)
        return created.provider_ref

    async def test_a_whole_refund_is_done_when_the_payment_is_reversed(
        self, silent_twin: ProviderTwin, adapter: KhipuAdapter
    ) -> None:
        provider_ref = await self.paid(silent_twin, adapter)
        refund = await adapter.refund(RefundRequest(new_id(), provider_ref, Money(1000, Currency.CLP)))
        assert refund.status is RefundStatus.PENDING
        assert (await adapter.fetch_refund(provider_ref, refund.refund_ref)) == refund
        await silent_twin.settle_refunds(provider_ref)
        found = await adapter.fetch_refund(provider_ref, refund.refund_ref)
        assert (found.status, found.amount) == (RefundStatus.SUCCEEDED, Money(1000, Currency.CLP))

    async def test_a_refund_in_part_stays_open(self, silent_twin: ProviderTwin, adapter: KhipuAdapter) -> None:
        provider_ref = await self.paid(silent_twin, adapter)
        refund = await adapter.refund(RefundRequest(new_id(), provider_ref, Money(400, Currency.CLP)))
        await silent_twin.settle_refunds(provider_ref)
        found = await adapter.fetch_refund(provider_ref, refund.refund_ref)
        assert (found.status, found.amount) == (RefundStatus.PENDING, Money(400, Currency.CLP))

    async def test_an_unanswered_refund_is_not_taken_for_absent(
        self, silent_twin: ProviderTwin, adapter: KhipuAdapter
    ) -> None:
        provider_ref = await self.paid(silent_twin, adapter)
        request = RefundRequest(new_id(), provider_ref, Money(1000, Currency.CLP))
        await silent_twin.fault("timeout_after_charging", operation="payments.refund", reference=provider_ref)
        with pytest.raises(OutcomeUnknown):
            await adapter.refund(request)
        with pytest.raises(ProviderUnavailable):
            await adapter.find_refund(request)
        await silent_twin.settle_refunds(provider_ref)
        found = await adapter.find_refund(request)
        assert found is not None
        assert found.status is RefundStatus.SUCCEEDED


async def test_refunds_that_khipu_has_not_enabled_are_rejected(inbox: Any) -> None:
    async with running(refunds=False) as twin:
        adapter = make_adapter(twin, inbox)
        provider_ref = await TestRefundsThatAreNotListed().paid(twin, adapter)
        with pytest.raises(ProviderRejected) as caught:
            await adapter.refund(RefundRequest(new_id(), provider_ref, Money(1000, Currency.CLP)))
        assert caught.value.code == "refunds_not_enabled"
        await adapter.close()


async def test_where_a_deleted_payment_is_gone_its_end_is_not_taken_for_granted(inbox: Any) -> None:
    async with running(deleted="absent") as twin:
        adapter = make_adapter(twin, inbox)
        request = IntentRequest(
            new_id(), Money(1000, Currency.CLP), PaymentMethod.PAYMENT_LINK, "Pan", now() + timedelta(hours=1)
        )
        created = await adapter.create_payment_intent(request)
        with pytest.raises(OutcomeUnknown):
            await adapter.cancel(created.provider_ref)
        with pytest.raises(PaymentNotFound):
            await adapter.cancel(created.provider_ref)
        await adapter.close()


def now() -> datetime:
    return SystemClock().now()
