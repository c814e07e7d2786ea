"""Businesses with an account of their own at the provider: each is paid to its own, and heard of by its own secret."""

import base64
import hmac
import json
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from chassis.auth.principal import BusinessRole, Membership
from chassis.rpc.client import call
from chassis.testing.tokens import make_principal
from contracts.events.webhooks import WebhookReceived
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import Country, Forbidden, new_id
from payments.accounts import repository
from payments.accounts import service as accounts
from payments.resolution import service as resolution
from sqlalchemy import text
from twins.khipu.settings import KhipuAccount, KhipuTwinSettings
from twins.testing import running_twins

pytestmark = pytest.mark.integration

VERDICT = payments_pb2.VerifyWebhookResponse
ACCOUNTS = {
    "key-of-the-first-shop": KhipuAccount("secret-of-the-first-shop", 111),
    "key-of-the-second-shop": KhipuAccount("secret-of-the-second-shop", 222),
}


@pytest.fixture(scope="module")
async def khipu():
    """A twin that tells accounts apart by their key, and whose keys a test may take away."""
    settings = KhipuTwinSettings(accounts=dict(ACCOUNTS), refund_seconds=1e9)
    async with running_twins(khipu=settings) as twins:
        yield SimpleNamespace(twin=twins.provider("khipu"), settings=settings)


@pytest.fixture(autouse=True)
def address(khipu, monkeypatch):
    """Where businesses' accounts are is the platform's to say."""
    monkeypatch.setenv("KHIPU_API_URL", khipu.twin.api_url)
    monkeypatch.setenv("KHIPU_TIMEOUT_SECONDS", "4")
    # Never to be taken for theirs.
    monkeypatch.setenv("KHIPU_WEBHOOK_SECRET", "secret-of-the-platform")
    khipu.settings.accounts.clear()
    khipu.settings.accounts.update(ACCOUNTS)


@dataclass
class Shop:
    till: object
    twin: object

    @property
    def path(self):
        return "/api/v1/payment-accounts/khipu"

    async def send(self, method, body=None, *, by=None, path=None):
        return await self.till.sut.client.request(
            method,
            path or self.path,
            params={"businessId": str(self.till.business.id)},
            json=body,
            headers=self.till.sut.as_(by or self.till.owner),
        )

    async def use(self, key, secret, number="111", **fields):
        body = {
            "environment": "TEST",
            "credentials": {"apiKey": key, "webhookSecret": secret, **({"receiverId": number} if number else {})},
            **fields,
        }
        return await self.send("PUT", body)

    async def pay(self, **fields):
        return await self.till.create(method="PAYMENT_LINK", amount="4990", **fields)

    async def account_id(self, payment):
        return (await self.till.row(payment["id"])).account_id

    async def reads(self, payment):
        """The payment once the provider has been asked again."""
        self.till.sut.clock.advance(timedelta(seconds=40))
        await resolution.resolve_due(self.till.ctx)
        return await self.till.show(payment["id"])

    async def key(self):
        return (await self.send("GET")).json()["data"]["webhookUrl"].rpartition("/")[2]


@pytest.fixture
def open_shop(till, khipu):
    def opened():
        business = till.sut.directory.open_business(country=Country.CL)
        return Shop(replace(till, business=business, owner=make_principal(owns=[business.id])), khipu.twin)

    return opened


@pytest.fixture
async def first(open_shop):
    shop = open_shop()
    answer = await shop.use("key-of-the-first-shop", "secret-of-the-first-shop")
    assert answer.status_code == 200, answer.text
    return shop


@pytest.fixture
async def verifier(till):
    stub = payments_pb2_grpc.PaymentAccountsStub(await till.sut.channel("webhooks"))

    async def verify(key, secret, body, *, header="x-khipu-signature"):
        t = str(int(time.time() * 1000))
        digest = hmac.digest(secret.encode(), t.encode() + b"." + body, "sha256")
        signed = payments_pb2.NamedValue(name=header, value=f"t={t},s={base64.b64encode(digest).decode()}")
        request = payments_pb2.VerifyWebhookRequest(provider="khipu", account_key=key, body=body, headers=[signed])
        return await call("payments", stub.VerifyWebhook(request, timeout=5))

    return verify


def notification(payment):
    return json.dumps(
        {
            "payment_id": payment["providerRef"],
            "receiver_id": 111,
            "subject": "Venta",
            "amount": "4990.0000",
            "currency": "CLP",
            "transaction_id": payment["id"],
            "conciliation_date": "2026-11-22T12:00:00.000Z",
        }
    ).encode()


async def test_what_is_saved_is_never_shown(first):
    secret = {"key-of-the-first-shop", "secret-of-the-first-shop"}
    answer = await first.send("GET")
    shown = answer.json()["data"]
    assert (shown["source"], shown["verification"], shown["environment"]) == ("OWN", "VERIFIED", "TEST")
    assert shown["credentials"]["apiKey"] == {"isSet": True, "lastFour": "shop"}
    assert shown["credentials"]["receiverId"] == {"isSet": True, "lastFour": None}
    assert not any(word in answer.text for word in secret)
    for row in await first.till.run(text("SELECT credentials, earlier, shown::text FROM payment_accounts")):
        assert not any(word in str(row) for word in secret)


async def test_each_is_paid_to_its_own_account(first, open_shop, khipu):
    second, third = open_shop(), open_shop()
    await second.use("key-of-the-second-shop", "secret-of-the-second-shop", "222")
    ours, theirs, platforms = [await shop.pay() for shop in (first, second, third)]
    assert await third.account_id(platforms) is None
    assert await first.account_id(ours) != await second.account_id(theirs)
    for payment, _ in ((ours, first), (theirs, second)):
        await khipu.twin.pay(payment["id"])
    for payment, shop in ((ours, first), (theirs, second)):
        assert (await shop.reads(payment))["status"] == "CONFIRMED"
    refund = await first.till.refund(ours)
    assert refund.status_code == 201, refund.text
    # The platform's twin has never heard of it: the refund went to the account it was paid to.
    assert (await khipu.twin.journal(ours["id"]))["refunds"] == 1


async def test_a_webhook_is_verified_with_the_secret_of_its_account(first, open_shop, verifier):
    second = open_shop()
    await second.use("key-of-the-second-shop", "secret-of-the-second-shop", "222")
    payment = await first.pay()
    body, key = notification(payment), await first.key()
    told = await verifier(key, "secret-of-the-first-shop", body)
    assert (told.outcome, told.our_reference) == (VERDICT.OUTCOME_VERIFIED, payment["id"])
    assert told.account_id == str(await first.account_id(payment))
    for wrong in ("secret-of-the-second-shop", "secret-of-the-platform"):
        assert (await verifier(key, wrong, body)).outcome == VERDICT.OUTCOME_FORGED
    assert (await verifier(key, "secret-of-the-first-shop", b"{}")).outcome == VERDICT.OUTCOME_MALFORMED
    for unknown in ("", "x" * 22, "x" * 100, "\x00"):
        assert (await verifier(unknown, "secret-of-the-first-shop", body)).outcome == VERDICT.OUTCOME_UNKNOWN_ACCOUNT


async def test_without_a_secret_of_its_own_every_webhook_is_refused(open_shop, verifier):
    shop = open_shop()
    body = {"environment": "TEST", "credentials": {"apiKey": "key-of-the-first-shop"}}
    assert (await shop.send("PUT", body)).status_code == 200
    told = await verifier(await shop.key(), "secret-of-the-platform", b"{}")
    assert told.outcome == VERDICT.OUTCOME_UNKNOWN_ACCOUNT


async def test_a_word_about_somebody_elses_payment_moves_nothing(first, open_shop, khipu):
    """The second shop signs, with a secret that it knows, what it says of a payment of the first."""
    second = open_shop()
    await second.use("key-of-the-second-shop", "secret-of-the-second-shop", "222")
    payment, another = await first.pay(), await second.pay()
    await khipu.twin.pay(payment["id"])

    async def told_by(account_id):
        event = WebhookReceived(
            aggregate_id=new_id(),
            aggregate_version=1,
            webhook_event_id=new_id(),
            provider="khipu",
            provider_event_id=str(new_id()),
            event_type="payment.conciliated",
            provider_ref=payment["providerRef"],
            our_reference=payment["id"],
            account_id=account_id,
        )
        await first.till.sut.deliver("payments.webhooks", event)
        return (await first.till.show(payment["id"]))["status"]

    assert await told_by(await second.account_id(another)) == "PENDING"
    assert await told_by(None) == "PENDING"
    assert await told_by(await first.account_id(payment)) == "CONFIRMED"


async def test_other_keys_of_the_same_account_read_what_is_under_way(first, khipu, verifier):
    payment, key = await first.pay(), await first.key()
    khipu.settings.accounts["key-of-the-first-shop-2"] = KhipuAccount("secret-of-the-first-shop-2", 111)
    del khipu.settings.accounts["key-of-the-first-shop"]  # revoked there
    answer = await first.use("key-of-the-first-shop-2", "secret-of-the-first-shop-2")
    assert answer.status_code == 200, answer.text
    assert await first.key() == key
    await khipu.twin.pay(payment["id"])
    assert (await first.reads(payment))["status"] == "CONFIRMED"
    for secret in ("secret-of-the-first-shop", "secret-of-the-first-shop-2"):
        assert (await verifier(key, secret, notification(payment))).outcome == VERDICT.OUTCOME_VERIFIED
    first.till.sut.clock.advance(timedelta(days=8))
    await accounts.tidy(first.till.ctx)
    [row] = await first.till.run(
        text("SELECT earlier FROM payment_accounts WHERE business_id = :id AND replaced_at IS NULL"),
        {"id": first.till.business.id},
    )
    assert row.earlier is None


async def test_payments_of_an_account_that_was_given_up_are_read_with_it(first, khipu):
    payment = await first.pay()
    before = await first.account_id(payment)
    assert (await first.use("key-of-the-second-shop", "secret-of-the-second-shop", "222")).status_code == 200
    later = await first.pay()
    assert await first.account_id(later) != before
    assert (await first.send("DELETE")).status_code == 204
    assert (await first.send("DELETE")).status_code == 204
    assert (await first.send("GET")).json()["data"]["source"] == "PLATFORM"
    for one in (payment, later):
        await khipu.twin.pay(one["id"])
    for one in (payment, later):
        assert (await first.reads(one))["status"] == "CONFIRMED"
    assert await first.account_id(await first.pay()) is None
    # Paid, so that it may have to be given back: its account stays.
    first.till.sut.clock.advance(timedelta(days=8))
    await accounts.tidy(first.till.ctx)
    assert before in await kept(first)
    await first.till.set(payment["id"], status="REFUNDED", refunded=4990, refund_reserved=4990, next_poll_at=None)
    await accounts.tidy(first.till.ctx)
    assert before not in await kept(first)


async def kept(shop):
    rows = await shop.till.run(
        text("SELECT id FROM payment_accounts WHERE business_id = :id"), {"id": shop.till.business.id}
    )
    return {row.id for row in rows}


async def test_an_unanswered_creation_is_resumed_with_the_account_it_was_begun_with(first, khipu):
    key = str(new_id())
    wish = first.till.wish(method="PAYMENT_LINK", amount="4990")
    await khipu.twin.fault("garbage_json", operation="payments.create")
    unheard = await first.till.post("/intent", wish, key=key)
    assert unheard.status_code == 503
    await first.send("DELETE")
    again = await first.till.post("/intent", wish, key=key)
    assert again.status_code == 201, again.text
    assert await first.account_id(again.json()["data"]) is not None


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"credentials": {"apiKey": "of-nobody"}}, 422, "credentials_refused"),
        ({"credentials": {"webhookSecret": "s"}}, 400, "validation_failed"),
        ({"credentials": {"apiKey": "with\r\nX-Header: a line"}}, 400, "validation_failed"),
        ({"credentials": {"apiKey": "\ud800"}}, 400, "validation_failed"),
        ({"credentials": {"apiKey": "a", "apiUrl": "https://example.com"}}, 400, "validation_failed"),
        ({"credentials": {"apiKey": 1}}, 400, "validation_failed"),
        ({"environment": "PROD"}, 400, "validation_failed"),
        ({"credentials": {"apiKey": "key-of-the-second-shop", "receiverId": "222"}, "sameAccount": True}, 422, None),
    ],
    ids=["refused", "required", "newline", "surrogate", "unknown", "number", "environment", "another"],
)
async def test_what_is_no_account_is_refused_and_changes_nothing(first, change, status, code):
    before = (await first.send("GET")).json()
    body = {"environment": "TEST", "credentials": {"apiKey": "key-of-the-first-shop"}, **change}
    answer = await first.till.sut.client.put(
        first.path,
        params={"businessId": str(first.till.business.id)},
        content=json.dumps(body).encode(),
        headers={**first.till.sut.as_(first.till.owner), "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code or "account_differs"), answer.text
    assert "X-Header" not in answer.text
    assert (await first.send("GET")).json() == before


async def test_an_account_that_nobody_can_ask_about_is_saved_and_asked_about_later(open_shop, khipu):
    shop = open_shop()
    await khipu.twin.fault("http_500", operation="payments.get")
    saved = await shop.use("key-of-the-first-shop", "secret-of-the-first-shop")
    assert saved.json()["data"]["verification"] == "UNVERIFIED"
    del khipu.settings.accounts["key-of-the-first-shop"]
    await accounts.check_unverified(shop.till.ctx)
    assert (await shop.send("GET")).json()["data"]["verification"] == "REFUSED"


async def test_it_is_the_owners(first, open_shop):
    employee = make_principal()
    membership = Membership(first.till.business.id, BusinessRole.EMPLOYEE)
    employee = replace(employee, memberships={first.till.business.id: membership})
    for method, body in (
        ("GET", None),
        ("PUT", {"environment": "TEST", "credentials": {"apiKey": "x"}}),
        ("DELETE", None),
    ):
        assert (await first.send(method, body, by=employee)).status_code == 403
        assert (await first.send(method, body, by=open_shop().till.owner)).status_code == 404
        for path in ("/api/v1/payment-accounts/nobody", "/api/v1/payment-accounts/conekta"):
            wanted = {200, 204, 422} if path.endswith("conekta") else {404}
            assert (await first.send(method, body, path=path)).status_code in wanted
    assert (await first.send("GET")).json()["data"]["source"] == "OWN"


async def test_nobody_but_webhooks_may_ask(till):
    stub = payments_pb2_grpc.PaymentAccountsStub(await till.sut.channel("sales"))
    with pytest.raises(Forbidden):
        await call("payments", stub.VerifyWebhook(payments_pb2.VerifyWebhookRequest(), timeout=5))


async def test_connections_are_reused_and_bounded(first, monkeypatch):
    providers = first.till.ctx.accounts
    payment = await first.pay()
    row = await first.till.row(payment["id"])
    assert await providers.of(row) is await providers.of(row)
    monkeypatch.setattr(providers, "_most_open", 2)
    for number in range(4):
        account = replace(await account_of(first), id=UUID(int=number), version=7)
        monkeypatch.setattr(providers, "credentials", lambda account: {"api_key": "k"})
        providers.adapter(account)
    assert providers.open_accounts <= 2


async def test_what_a_process_remembers_of_accounts_decides_nothing(open_shop):
    """Saved, replaced and given up by another process: the very next payment is made with what there is then."""
    shop = open_shop()
    assert await shop.account_id(await shop.pay()) is None

    await shop.use("key-of-the-first-shop", "secret-of-the-first-shop")
    first = await account_of(shop)
    assert await shop.account_id(await shop.pay(key="a-key-for-this-test")) == first.id
    again = await shop.pay(key="a-key-for-this-test")

    await shop.use("key-of-the-second-shop", "secret-of-the-second-shop", "222")
    assert (await account_of(shop)).id != first.id
    assert await shop.account_id(again) == first.id
    assert await shop.account_id(await shop.pay()) == (await account_of(shop)).id

    assert (await shop.send("DELETE")).status_code == 204
    assert await shop.account_id(await shop.pay()) is None


async def account_of(shop):
    [account] = await repository.present(shop.till.ctx.database, shop.till.business.id)
    return account
