"""Conekta's adapter against Conekta's twin."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from kernel import Clock, Money, SystemClock
from psp.listing import ListsPayments
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import (
    Confirmed,
    ExpectedPayment,
    InvalidSignature,
    Mismatch,
    PaymentMethod,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    WebhookRequest,
)
from psp.testing.contract import ProviderContract
from psp.testing.world import Tally, Verb
from twins.testing import Twins, running_twins

pytestmark = pytest.mark.contract


_OPERATIONS = {
    Verb.CREATE: "orders.create",
    Verb.FETCH: "orders.get",
    Verb.CANCEL: "orders.cancel",
    Verb.REFUND: "orders.refund",
}


@dataclass
class ConektaWorld:
    provider: ConektaAdapter
    clock: Clock
    twins: Twins
    inbox: Any
    refundable_method: PaymentMethod = PaymentMethod.PAYMENT_LINK

    async def pay(self, reference: str) -> None:
        await self.twins.pay(reference)

    async def decline(self, reference: str) -> None:
        await self.twins.decline(reference)

    async def expire(self, reference: str) -> None:
        await self.twins.expire(reference)

    async def settle_refunds(self, reference: str) -> None:
        """They are done when they are answered."""

    async def tally(self, reference: str) -> Tally:
        journal = await self.twins.journal(reference)
        return Tally(journal["payments"], journal["charges"], journal["refunds"])

    async def webhook(self, reference: str) -> WebhookRequest:
        return (await self.inbox.about(reference))[-1]

    async def webhook_again(self, reference: str) -> WebhookRequest:
        first = await self.webhook(reference)
        event_id = self.provider.parse_webhook(first).event_id
        await self.twins.resend(event_id)
        return (await self.inbox.about(event_id, count=2))[-1]

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
        await self.twins.fault(kind, operation=_OPERATIONS[verb], reference=reference, **options)

    async def next_status_is_unlisted(self, reference: str) -> None:
        await self.twins.fault("unlisted_status", reference=reference)

    async def unreachable(self) -> PaymentProvider:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return make_adapter(self.twins, self.clock, api_url=f"http://127.0.0.1:{port}")


def make_adapter(twins: Twins, clock: Clock, **settings: Any) -> ConektaAdapter:
    values = {
        "api_url": twins.conekta_url,
        "api_key": twins.api_key,
        "webhook_public_key": twins.public_key_pem,
        "timeout_seconds": 1.0,
        **settings,
    }
    return ConektaAdapter.open(clock, ConektaSettings(**values))


@pytest.fixture(scope="module")
async def twins(inbox: Any) -> AsyncIterator[Twins]:
    async with running_twins(inbox.url) as running:
        yield running


@pytest.fixture
async def world(twins: Twins, inbox: Any) -> AsyncIterator[ConektaWorld]:
    clock = SystemClock()
    adapter = make_adapter(twins, clock)
    yield ConektaWorld(adapter, clock, twins, inbox)
    await adapter.close()


class TestConekta(ProviderContract):
    async def test_the_payments_of_a_period_are_listed(self, world: ConektaWorld) -> None:
        waiting, _ = await self.create(world)
        paid, _ = await self.create(world)
        await world.pay(paid)
        assert isinstance(world.provider, ListsPayments)
        now = world.clock.now()
        listed = await world.provider.list_payments(now - timedelta(minutes=5), now + timedelta(seconds=1))
        by_reference = {payment.our_reference: payment.status for payment in listed}
        assert by_reference[waiting] is ProviderStatus.PENDING
        assert by_reference[paid] is ProviderStatus.CONFIRMED
        assert await world.provider.list_payments(now - timedelta(days=2), now - timedelta(days=1)) == ()

    async def test_a_part_of_the_list_is_not_taken_for_the_whole(self, world: ConektaWorld) -> None:
        await self.create(world)
        await world.twins.fault("http_500", operation="orders.search")
        with pytest.raises(ProviderUnavailable):
            await world.provider.list_payments(world.clock.now() - timedelta(minutes=5), world.clock.now())

    async def test_a_qr_code_is_the_address_of_the_hosted_page(self, world: ConektaWorld) -> None:
        _, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        order = (await world.twins.orders(created.provider_ref))[0]
        code = await world.provider.generate_qr_code(created.provider_ref)
        assert code.content == order["checkout"]["url"]
        assert not code.native

    async def test_a_transfer_names_its_clabe_and_is_not_refunded(self, world: ConektaWorld) -> None:
        reference, created = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
        order = (await world.twins.orders(created.provider_ref))[0]
        assert created.instructions.clabe == order["charges"]["data"][0]["payment_method"]["clabe"]  # type: ignore[union-attr]
        await world.pay(reference)
        with pytest.raises(ProviderRejected):
            await world.provider.refund(self.refund_request(world, created, 100))

    async def test_another_amount_arriving_is_a_mismatch(self, world: ConektaWorld) -> None:
        reference, created = await self.create(world, method=PaymentMethod.BANK_TRANSFER)
        await world.twins.pay(reference, amount=100)
        confirmation = await world.provider.confirm_payment(
            ExpectedPayment(created.provider_ref, reference, Money.of("150.50", "MXN"))
        )
        assert isinstance(confirmation, Mismatch)

    async def test_money_that_arrives_after_the_end_is_seen(self, world: ConektaWorld) -> None:
        reference, created = await self.create(world)
        await world.provider.cancel(created.provider_ref)
        await world.twins.pay(reference, force=True)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.CONFIRMED

    async def test_of_two_orders_of_one_reference_the_paid_one_counts(self, world: ConektaWorld) -> None:
        request = self.request(world)
        first = await world.provider.create_payment_intent(request)
        await world.provider.create_payment_intent(request)
        await world.twins.pay(first.provider_ref)
        found = await world.provider.find_payment(str(request.reference))
        assert found is not None
        assert found.provider_ref == first.provider_ref

    async def test_a_payment_that_their_search_does_not_find_is_found_by_looking(self, world: ConektaWorld) -> None:
        reference, created = await self.create(world)
        for _ in range(3):
            await self.create(world)
        await world.twins.fault("blind_search", reference=reference)
        found = await world.provider.find_payment(reference)
        assert found is not None
        assert found.provider_ref == created.provider_ref

    async def test_a_payment_of_the_wrong_mode_is_a_mismatch(self, world: ConektaWorld) -> None:
        reference, created = await self.paid(world)
        expected = ExpectedPayment(created.provider_ref, reference, Money.of("150.50", "MXN"))
        for live, kind in ((True, Mismatch), (False, Confirmed)):
            adapter = make_adapter(world.twins, world.clock, livemode=live)
            assert isinstance(await adapter.confirm_payment(expected), kind)
            await adapter.close()

    async def test_a_refused_key_is_a_matter_of_configuration(self, world: ConektaWorld) -> None:
        adapter = make_adapter(world.twins, world.clock, api_key="key_wrong")
        with pytest.raises(ProviderNotConfigured) as caught:
            await adapter.create_payment_intent(self.request(world))
        await adapter.close()
        assert "key_wrong" not in str(caught.value)

    async def test_an_amount_read_wrong_is_a_mismatch(self, world: ConektaWorld) -> None:
        reference, created = await self.paid(world)
        await world.twins.fault("wrong_amount_read", reference=reference)
        expected = ExpectedPayment(created.provider_ref, reference, Money.of("150.50", "MXN"))
        assert isinstance(await world.provider.confirm_payment(expected), Mismatch)

    async def test_a_garbled_read_is_unavailable(self, world: ConektaWorld) -> None:
        reference, created = await self.create(world)
        await world.twins.fault("garbage_json", reference=reference)
        with pytest.raises(ProviderUnavailable):
            await world.provider.fetch_payment(created.provider_ref)

    async def test_a_forged_webhook_is_told_from_the_true_one(self, world: ConektaWorld) -> None:
        for kind in ("forged", "altered"):
            reference, _ = await self.create(world)
            await world.twins.fault(kind, reference=reference)
            await world.pay(reference)
            false, true = (await world.inbox.about(reference, count=2))[:2]
            with pytest.raises(InvalidSignature):
                world.provider.verify_webhook_signature(false)
            world.provider.verify_webhook_signature(true)
