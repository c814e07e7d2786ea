"""Mercado Pago's adapter against Mercado Pago's twin."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from kernel import Clock, Money, SystemClock
from psp.argentina.mercadopago.adapter import MercadoPagoAdapter
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.provider import (
    Canceled,
    Confirmed,
    ExpectedPayment,
    InvalidSignature,
    Mismatch,
    OutcomeUnknown,
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
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.testing import ProviderTwin, running_twins

pytestmark = pytest.mark.contract

_OPERATIONS = {
    Verb.CREATE: "orders.create",
    Verb.FETCH: "orders.get",
    Verb.CANCEL: "orders.cancel",
    Verb.REFUND: "orders.refund",
}


@dataclass
class MercadoPagoWorld:
    provider: MercadoPagoAdapter
    clock: Clock
    twin: ProviderTwin
    inbox: Any
    refundable_method: PaymentMethod = PaymentMethod.PAYMENT_LINK

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
        first = await self.webhook(reference)
        [event_id] = first.header_values("x-request-id")
        await self.twin.resend(event_id)
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


def make_adapter(twin: ProviderTwin, **settings: Any) -> MercadoPagoAdapter:
    own = MercadoPagoTwinSettings()
    values = {
        "api_url": twin.api_url,
        "access_token": own.access_token,
        "webhook_secret": own.webhook_secret,
        "external_pos_id": own.external_pos_id,
        "timeout_seconds": 1.0,
        **settings,
    }
    return MercadoPagoAdapter.open(SystemClock(), MercadoPagoSettings(**values))


@pytest.fixture(scope="module")
async def twin(inbox: Any) -> AsyncIterator[ProviderTwin]:
    own = MercadoPagoTwinSettings(webhook_url=inbox.url, refund_seconds=1e6)
    async with running_twins(mercadopago=own) as twins:
        yield twins.provider("mercadopago")


@pytest.fixture
async def world(twin: ProviderTwin, inbox: Any) -> AsyncIterator[MercadoPagoWorld]:
    adapter = make_adapter(twin)
    yield MercadoPagoWorld(adapter, SystemClock(), twin, inbox)
    await adapter.close()


class TestMercadoPago(ProviderContract):
    def tampered(self, webhook: WebhookRequest) -> Iterable[WebhookRequest]:
        """The body is not signed: what it says is read again, and it must be about the order that is."""
        [signature] = webhook.header_values("x-signature")
        [request_id] = webhook.header_values("x-request-id")
        others = {key: value for key, value in webhook.headers.items() if key.lower() != "x-signature"}
        later = signature.replace("ts=1", "ts=2", 1)
        yield replace(webhook, headers=others | {"x-signature": later})
        yield replace(webhook, headers=others | {"x-signature": signature[:-1]})
        yield replace(webhook, headers=others | {"x-signature": signature.replace(",v1=", ",v2=")})
        yield replace(webhook, query=[("data.id", "ORD01JV3AW3NFSTSTB669F41NACDX"), ("type", "order")])
        yield replace(webhook, query=[*webhook.query, *webhook.query])
        yield replace(webhook, query=[])
        ids = {key: value for key, value in webhook.headers.items() if key.lower() != "x-request-id"}
        yield replace(webhook, headers=ids | {"x-request-id": request_id[:-1]})

    async def test_a_qr_code_is_the_wallets_own(self, world: MercadoPagoWorld) -> None:
        _, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        code = await world.provider.generate_qr_code(created.provider_ref)
        [order] = await world.twin.payments(created.provider_ref)
        assert code.native
        assert code.content == order["type_response"]["qr_data"]
        assert code.content.startswith("000201")

    async def test_without_a_point_of_sale_there_is_no_qr_code(self, world: MercadoPagoWorld) -> None:
        for pos, error in ((None, ProviderNotConfigured), ("UNKNOWN", ProviderRejected)):
            adapter = make_adapter(world.twin, external_pos_id=pos)
            with pytest.raises(error):
                await adapter.create_payment_intent(self.request(world, method=PaymentMethod.QR_DYNAMIC))
            await adapter.close()

    async def test_a_qr_payment_is_given_back_whole_or_not_at_all(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
        await world.pay(reference)
        with pytest.raises(ProviderRejected) as caught:
            await world.provider.refund(self.refund_request(world, created, 100))
        assert caught.value.code == "partial_refund_not_supported"
        refund = await world.provider.refund(self.refund_request(world, created, 15050))
        assert (refund.status, refund.amount) == (RefundStatus.PENDING, self.money(world))
        await world.settle_refunds(reference)
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert (payment.status, payment.refunded) == (ProviderStatus.REFUNDED, self.money(world))

    async def test_a_refund_that_is_turned_down_is_failed_and_leaves_the_payment(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.paid(world)
        refund = await world.provider.refund(self.refund_request(world, created, 15050))
        await world.twin.settle_refunds(reference, approved=False)
        seen = await world.provider.fetch_refund(created.provider_ref, refund.refund_ref)
        assert seen.status is RefundStatus.FAILED
        payment = await world.provider.fetch_payment(created.provider_ref)
        assert payment.status is ProviderStatus.CONFIRMED
        assert not payment.refunded
        again = self.refund_request(world, created, 15050, known_refunds=frozenset({refund.refund_ref}))
        assert (await world.provider.refund(again)).refund_ref != refund.refund_ref

    async def test_refunds_under_way_count(self, world: MercadoPagoWorld) -> None:
        _, created = await self.paid(world)
        await world.provider.refund(self.refund_request(world, created, 15000))
        with pytest.raises(ProviderRejected):
            await world.provider.refund(self.refund_request(world, created, 51))

    async def test_a_request_sent_twice_happens_once(self, world: MercadoPagoWorld) -> None:
        request = self.request(world)
        first = await world.provider.create_payment_intent(request)
        assert await world.provider.create_payment_intent(request) == first
        await world.pay(str(request.reference))
        refund = self.refund_request(world, first, 100)
        assert await world.provider.refund(refund) == await world.provider.refund(refund)
        assert await world.tally(str(request.reference)) == Tally(payments=1, charges=1, refunds=1)

    async def test_a_key_that_was_used_is_an_unknown_outcome(self, inbox: Any) -> None:
        own = MercadoPagoTwinSettings(replay_keys=False)
        async with running_twins(mercadopago=own) as twins:
            twin = twins.provider("mercadopago")
            adapter = make_adapter(twin)
            request = self.request(MercadoPagoWorld(adapter, SystemClock(), twin, inbox))
            await adapter.create_payment_intent(request)
            with pytest.raises(OutcomeUnknown):
                await adapter.create_payment_intent(request)
            assert await adapter.find_payment(str(request.reference)) is not None
            await adapter.close()

    async def test_another_amount_arriving_is_a_mismatch(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.create(world)
        await world.twin.pay(reference, amount=100)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        assert isinstance(await world.provider.confirm_payment(expected), Mismatch)

    async def test_an_amount_read_wrong_is_a_mismatch(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.paid(world)
        await world.twin.fault("wrong_amount_read", reference=reference)
        expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
        assert isinstance(await world.provider.confirm_payment(expected), Mismatch)

    async def test_money_of_another_account_is_a_mismatch(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.paid(world)
        expected = ExpectedPayment(created.provider_ref, reference, Money.of("150.50", "ARS"))
        for account, kind in ((MercadoPagoTwinSettings().user_id, Confirmed), ("1", Mismatch)):
            adapter = make_adapter(world.twin, user_id=account)
            assert isinstance(await adapter.confirm_payment(expected), kind)
            await adapter.close()

    async def test_money_that_arrives_after_the_end_is_seen(self, world: MercadoPagoWorld) -> None:
        reference, created = await self.create(world)
        assert isinstance(await world.provider.cancel(created.provider_ref), Canceled)
        await world.twin.pay(reference, force=True)
        assert (await world.provider.fetch_payment(created.provider_ref)).status is ProviderStatus.CONFIRMED

    async def test_a_search_that_is_refused_proves_nothing(self, world: MercadoPagoWorld) -> None:
        reference, _ = await self.create(world)
        await world.twin.fault("garbage_json", operation="orders.search", reference=reference)
        with pytest.raises(ProviderUnavailable):
            await world.provider.find_payment(reference)

    async def test_a_refused_token_is_a_matter_of_configuration(self, world: MercadoPagoWorld) -> None:
        adapter = make_adapter(world.twin, access_token="TEST-wrong")
        with pytest.raises(ProviderNotConfigured) as caught:
            await adapter.create_payment_intent(self.request(world))
        await adapter.close()
        assert "TEST-wrong" not in str(caught.value)

    async def test_a_forged_webhook_is_told_from_the_true_one(self, world: MercadoPagoWorld) -> None:
        for kind in ("forged", "altered"):
            reference, _ = await self.create(world)
            await world.twin.fault(kind, reference=reference)
            await world.pay(reference)
            false, true = (await world.inbox.about(reference, count=2))[:2]
            with pytest.raises(InvalidSignature):
                world.provider.verify_webhook_signature(false)
            world.provider.verify_webhook_signature(true)

    @pytest.mark.parametrize(
        "switches", [{"sign_lower_case": True}, {"ts_unit": "s"}, {"sign_lower_case": True, "ts_unit": "s"}]
    )
    async def test_what_is_documented_in_two_ways_holds_in_both(self, inbox: Any, switches: dict[str, Any]) -> None:
        own = MercadoPagoTwinSettings(webhook_url=inbox.url, **switches)
        async with running_twins(mercadopago=own) as twins:
            twin = twins.provider("mercadopago")
            adapter = make_adapter(twin, webhook_tolerance_seconds=60)
            reference, created = await self.paid(MercadoPagoWorld(adapter, SystemClock(), twin, inbox))
            webhook = (await inbox.about(reference))[-1]
            adapter.verify_webhook_signature(webhook)
            assert adapter.parse_webhook(webhook).provider_ref == created.provider_ref
            await adapter.close()

    async def test_an_unsigned_qr_notification_is_refused_and_the_payment_is_read(self, inbox: Any) -> None:
        own = MercadoPagoTwinSettings(webhook_url=inbox.url, sign_qr=False)
        async with running_twins(mercadopago=own) as twins:
            twin = twins.provider("mercadopago")
            adapter = make_adapter(twin)
            world = MercadoPagoWorld(adapter, SystemClock(), twin, inbox)
            reference, created = await self.create(world, method=PaymentMethod.QR_DYNAMIC)
            await world.pay(reference)
            with pytest.raises(InvalidSignature):
                adapter.verify_webhook_signature((await inbox.about(reference))[-1])
            expected = ExpectedPayment(created.provider_ref, reference, self.money(world))
            assert isinstance(await adapter.confirm_payment(expected), Confirmed)
            await adapter.close()
