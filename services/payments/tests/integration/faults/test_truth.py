"""Every fault of every provider's twin, at every call and notification it can strike; then our books are the twin's.

Webhooks are real here: the twins sign and post them, they are verified over their bytes, and what is not proven is
refused. One that cannot be handled yet is handled again later, as the bus would. Time is the service's own.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp import web
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentConfirmed, PaymentRefunded
from contracts.events.webhooks import WebhookReceived
from kernel import Country, new_id
from payments.intents.status import Step
from payments.refunds import service as refunds
from payments.refunds.models import refunds as refunds_table
from payments.resolution import service as resolution
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.argentina.mercadopago.webhook import MercadoPagoWebhooks
from psp.chile.khipu.settings import KhipuSettings
from psp.chile.khipu.webhook import KhipuWebhooks
from psp.colombia.payu.settings import PayuSettings
from psp.colombia.payu.webhook import PayuWebhooks
from psp.mexico.conekta.settings import ConektaSettings
from psp.mexico.conekta.webhook import ConektaWebhooks
from psp.provider import InvalidSignature, WebhookRequest
from sqlalchemy import select
from twins.conekta.settings import ConektaTwinSettings
from twins.khipu.settings import KhipuTwinSettings
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.payu.settings import PayuTwinSettings
from twins.testing import ControlRefused, running_twins

pytestmark = pytest.mark.integration

AMOUNT = "15050"
_PAID = {Step.CONFIRMED, Step.PARTIALLY_REFUNDED, Step.REFUNDED}

WEBHOOK_FAULTS = ("duplicate", "late", "drop", "out_of_order", "wrong_amount", "forged", "altered")
READ_FAULTS = (
    *("timeout_before", "http_500", "http_429", "slow", "timeout_after_charging"),
    *("http_500_after_charging", "garbage_json", "unlisted_status", "wrong_amount_read"),
)
WRITE_FAULTS = (
    *("timeout_before", "http_500", "http_429", "slow", "timeout_after_charging"),
    *("http_500_after_charging", "garbage_json", "unlisted_status"),
)


@dataclass(frozen=True)
class Side:
    """operations: what the twin calls a creation, None where nothing is asked of it; a reading; a refund."""

    provider: str
    country: Country
    create: str | None
    read: str
    refund: str


SIDES = (
    Side("conekta", Country.MX, "orders.create", "orders.get", "orders.refund"),
    Side("mercadopago", Country.AR, "orders.create", "orders.get", "orders.refund"),
    Side("khipu", Country.CL, "payments.create", "payments.get", "refunds.create"),
    Side("payu", Country.CO, None, "orders.search", "refunds.submit"),
)


@dataclass
class Post:
    """What stands before the service: verifies, remembers, and hands on."""

    url: str = ""
    receivers: dict = field(default_factory=dict)
    seen: set = field(default_factory=set)
    waiting: deque = field(default_factory=deque)
    refused: int = 0

    async def __call__(self, request):
        provider = request.path.rpartition("/")[2]
        received = WebhookRequest(await request.read(), request.headers, list(request.query.items()))
        try:
            self.receivers[provider].verify_webhook_signature(received)
        except InvalidSignature:
            self.refused += 1
            return web.Response(status=401)
        event = self.receivers[provider].parse_webhook(received)
        if (provider, event.event_id) not in self.seen:
            self.seen.add((provider, event.event_id))
            self.waiting.append(
                WebhookReceived(
                    aggregate_id=new_id(),
                    aggregate_version=1,
                    webhook_event_id=new_id(),
                    provider=provider,
                    provider_event_id=event.event_id,
                    event_type=event.event_type,
                    provider_ref=event.provider_ref,
                    our_reference=event.our_reference,
                )
            )
        return web.Response()

    async def hand_on(self, sut):
        while self.waiting:
            await sut.deliver("payments.webhooks", self.waiting.popleft())


@dataclass
class Court:
    """Both sides' books. till: of the side's country."""

    till: object
    side: Side
    post: Post
    payments: dict = field(default_factory=dict)

    @property
    def twin(self):
        return self.till.twins.provider(self.side.provider)

    async def create(self, name):
        """A till that repeats what was not answered."""
        key = str(new_id())
        for _ in range(30):
            answer = await self.till.post(
                "/intent", self.till.wish(amount=AMOUNT, method="PAYMENT_LINK", expiresIn=80_000), key=key
            )
            if answer.status_code == 201:
                break
            assert answer.status_code == 503, answer.text
            self.till.sut.clock.advance(timedelta(seconds=61))
        self.payments[name] = answer.json()["data"]
        await self.till.arrive(self.payments[name])

    async def pay(self, name):
        await self.twin.pay(self.payments[name]["id"])

    async def refund(self, *names, rounds):
        """Merchants who ask again until it is given back."""
        for _ in range(rounds):
            rows = {name: await self.till.row(self.payments[name]["id"]) for name in names}
            open_ones = [row for row in rows.values() if row.step is not Step.REFUNDED]
            if not open_ones:
                return
            for row in open_ones:
                asked = await self.till.post(f"/{row.id}/refund", {}, key=str(new_id()))
                assert asked.status_code in (201, 409, 422, 503), asked.text
                with suppress(ControlRefused):
                    await self.twin.settle_refunds(str(row.id))
            await self.go_on()

    async def go_on(self, **time):
        """Ten minutes pass: what came is handled, and what is due is read."""
        self.till.sut.clock.advance(timedelta(**time or {"minutes": 10}))
        await self.post.hand_on(self.till.sut)
        await resolution.resolve_due(self.till.ctx)
        await refunds.resolve_due(self.till.ctx)

    async def until(self, step, rounds=40):
        for _ in range(rounds):
            rows = {name: await self.till.row(payment["id"]) for name, payment in self.payments.items()}
            if all(row.step in step for row in rows.values()):
                return
            await self.go_on()
        raise AssertionError({name: row.status for name, row in rows.items() if row.step not in step})

    async def at_rest(self):
        """Once every refund has been decided: the slowest provider takes a week to say that it never had one."""
        await self.go_on()
        for payment in self.payments.values():
            with suppress(ControlRefused):
                await self.twin.settle_refunds(payment["id"])
        await self.go_on(days=8)
        await self.go_on()

    async def differences(self):
        """By payment: ours and the twin's, where they are not the same. Both of charges and of what was given back."""
        found = {}
        for name, payment in self.payments.items():
            row, theirs = await self.till.row(payment["id"]), await self.twin.journal(payment["id"])
            made = await self.till.run(select(refunds_table).where(refunds_table.c.payment_id == row.id))
            done = [refund for refund in made if refund.status == "SUCCEEDED"]
            told = [
                len(await self.till.sut.published(kind, aggregate_id=UUID(payment["id"])))
                for kind in (PaymentConfirmed, PaymentRefunded)
            ]
            paid = row.step in _PAID
            ours = (int(paid), row.money.minor if paid else 0, len(done), row.refunded_money.minor, row.disputed_at)
            book = (*(theirs[key] for key in ("charges", "charged_amount", "refunds", "refunded_amount")), None)
            if ours != book or told != [int(paid), len(done)] or row.refund_reserved != row.refunded:
                found[name] = {"ours": ours, "theirs": book, "told": told, "reserved": row.refund_reserved}
        return found


@pytest.fixture(scope="module")
async def post():
    office = Post()
    runner = web.ServerRunner(web.Server(office), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    office.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield office
    await runner.cleanup()


@pytest.fixture(scope="module")
async def own_twins(post):
    async with running_twins(
        conekta=ConektaTwinSettings(webhook_url=f"{post.url}/conekta"),
        mercadopago=MercadoPagoTwinSettings(webhook_url=f"{post.url}/mercadopago", refund_seconds=1e9),
        khipu=KhipuTwinSettings(refund_seconds=1e9),
        payu=PayuTwinSettings(webhook_url=f"{post.url}/payu", refund_seconds=1e9),
    ) as running:
        yield running


@pytest.fixture(scope="module")
async def own_sut(post, own_twins, serve):
    # Those of the providers' own keys, as the webhooks service holds them.
    post.receivers = {
        "conekta": ConektaWebhooks(ConektaSettings(webhook_public_key=own_twins.public_key_pem)),
        "mercadopago": MercadoPagoWebhooks(
            MercadoPagoSettings(webhook_secret=MercadoPagoTwinSettings().webhook_secret)
        ),
        "khipu": KhipuWebhooks(KhipuSettings(webhook_secret=KhipuTwinSettings().secret)),
        "payu": PayuWebhooks(
            PayuSettings(
                api_key=PayuTwinSettings().api_key,
                merchant_id=str(PayuTwinSettings().merchant_id),
                account_id=str(PayuTwinSettings().account_id),
            )
        ),
    }
    async with serve(own_twins, timeout=0.3, khipu_notify_url=f"{post.url}/khipu") as running:
        yield running


@pytest.fixture(params=SIDES, ids=lambda side: side.provider)
async def court(request, post, own_twins, own_sut, new_till):
    side = request.param
    business = own_sut.directory.open_business(country=side.country)
    till = new_till(own_sut, own_twins, business, make_principal(owns=[business.id]))
    yield Court(till, side, post)
    await own_twins.clear_faults(side.provider)


async def test_after_each_fault_the_books_are_the_same(court):
    """Each at a payment of its own, but for those that cannot be mistaken for each other: one of the creation, then one
    of the notification; one of a reading, then one of the refund."""
    side, twin = court.side, court.twin
    for kind in WRITE_FAULTS if side.create else ():
        await twin.fault(kind, operation=side.create, seconds=None if kind.startswith("timeout") else 0.1)
        await court.create(f"create {kind}")
        assert await twin.faults() == []
    if side.create is None:
        await asyncio.gather(*(court.create(f"webhook {kind}") for kind in WEBHOOK_FAULTS))
    told = dict(zip(court.payments, WEBHOOK_FAULTS, strict=False))
    await asyncio.gather(*(court.create(f"read {kind}") for kind in READ_FAULTS))
    read = {f"read {kind}": kind for kind in READ_FAULTS}
    for name, kind in (told | read).items():
        operation = side.read if name in read else None
        seconds = 0.1 if kind in ("late", "out_of_order", "slow", "forged", "altered") else None
        await twin.fault(kind, operation=operation, reference=court.payments[name]["id"], seconds=seconds)
    refused = court.post.refused
    await asyncio.gather(*(court.pay(name) for name in court.payments))
    await court.until({Step.CONFIRMED})
    assert await twin.faults() == []
    assert court.post.refused > refused
    assert await court.differences() == {}

    given_back = dict(zip(read, (*WRITE_FAULTS, "refund_declined"), strict=True))
    for name, kind in given_back.items():
        operation = None if kind == "refund_declined" else side.refund
        seconds = 0.1 if kind == "slow" else None
        await twin.fault(kind, operation=operation, reference=court.payments[name]["id"], seconds=seconds)
    await court.refund(*given_back, rounds=4)
    await twin.clear_faults()
    await court.at_rest()
    assert await court.differences() == {}


@pytest.mark.parametrize("seed", [7])
async def test_after_a_storm_of_faults_the_books_are_the_same(court, seed):
    storm = {"http_500": 0.05, "http_500_after_charging": 0.1, "garbage_json": 0.05, "http_429": 0.05}
    storm |= {"timeout_after_charging": 0.03, "unlisted_status": 0.05, "refund_declined": 0.2}
    storm |= {"drop": 0.2, "duplicate": 0.3, "out_of_order": 0.2, "forged": 0.2}
    for number, (kind, probability) in enumerate(storm.items()):
        await court.twin.fault(kind, times=None, probability=probability, seed=seed + number)
    names = [f"payment {number}" for number in range(5)]
    for name in names:
        await court.create(name)
        await court.pay(name)
    await court.refund(*names[::2], rounds=3)
    await court.twin.clear_faults()
    await court.until(_PAID)
    await court.at_rest()
    assert await court.differences() == {}
