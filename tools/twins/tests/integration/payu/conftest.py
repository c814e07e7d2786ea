from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twins.faults import FaultPlan
from twins.payu.ledger import Ledger
from twins.payu.settings import PayuTwinSettings
from twins.store import Store
from twins.testing import ProviderTwin, running_twins

API_KEY = "4Vj8eK4rloUd272L48hsrarnUA"
API_LOGIN = "pRRXKOl8ikMmt9u"
Json = dict[str, Any]


class Words:
    """PayU's documented requests, with our values for its ellipses."""

    def reference(self) -> str:
        return f"PRODUCT_TEST_{uuid.uuid4()}"

    def sign(self, *parts: str) -> str:
        text = "~".join((API_KEY, "508029", *parts))
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def payment(self, reference: str, value: Any = 65000, **changes: Any) -> Json:
        """PU-DOC, the PSE example."""
        person = {"fullName": "First name", "emailAddress": "buyer_test@test.com", "contactPhone": "7563126"}
        return {
            "order": {
                "accountId": "512321",
                "referenceCode": reference,
                "description": "Payment test description",
                "language": "es",
                "signature": self.sign(reference, str(value), "COP"),
                "additionalValues": {
                    "TX_VALUE": {"value": value, "currency": "COP"},
                    "TX_TAX": {"value": 10378, "currency": "COP"},
                    "TX_TAX_RETURN_BASE": {"value": 54622, "currency": "COP"},
                },
                "buyer": {"merchantBuyerId": "1", "dniNumber": "123456789", **person},
            },
            "payer": person,
            "extraParameters": {
                "RESPONSE_URL": "http://www.payu.com/response",
                "PSE_REFERENCE1": "127.0.0.1",
                "FINANCIAL_INSTITUTION_CODE": "1022",
                "USER_TYPE": "N",
                "PSE_REFERENCE2": "CC",
                "PSE_REFERENCE3": "123456789",
            },
            "type": "AUTHORIZATION_AND_CAPTURE",
            "paymentMethod": "PSE",
            "paymentCountry": "CO",
            "deviceSessionId": "vghs6tvkcle931686k1900o6e1",
            "ipAddress": "127.0.0.1",
            "cookie": "pt1t38347bs6jc9ruv2ecpv7o2",
            "userAgent": "Mozilla/5.0",
        } | changes

    def form(self, reference: str, amount: str = "20000", **changes: str) -> dict[str, str]:
        """PU-DOC, the payment form's example; it leaves out telephone and buyerFullName."""
        return {
            "merchantId": "508029",
            "accountId": "512321",
            "description": "Test PAYU",
            "referenceCode": reference,
            "amount": amount,
            "tax": "3193",
            "taxReturnBase": "16806",
            "currency": "COP",
            "signature": self.sign(reference, amount, "COP"),
            "test": "0",
            "buyerEmail": "test@test.com",
            "responseUrl": "http://www.test.com/response",
            "confirmationUrl": "http://127.0.0.1:9/confirmation",
        } | changes


class Payu(Words):
    """PayU's API by hand, and what it posts."""

    def __init__(self, twin: ProviderTwin, receiver: Any) -> None:
        self.twin = twin
        self.session = twin._session
        self._receiver = receiver

    async def __call__(self, section: str, command: str, **content: Any) -> tuple[int, Json]:
        body = {
            "language": "es",
            "command": command,
            "test": False,
            "merchant": {"apiKey": API_KEY, "apiLogin": API_LOGIN},
            **content,
        }
        url = f"{self.twin.api_url}/{section}-api/4.0/service.cgi"
        async with self.session.post(url, json=body, headers={"Accept": "application/json"}) as answer:
            return answer.status, await answer.json()

    async def submit(self, transaction: Json) -> Json:
        return (await self("payments", "SUBMIT_TRANSACTION", transaction=transaction))[1]

    async def query(self, **details: Any) -> Any:
        command = {
            "orderId": "ORDER_DETAIL",
            "referenceCode": "ORDER_DETAIL_BY_REFERENCE_CODE",
            "transactionId": "TRANSACTION_RESPONSE_DETAIL",
        }[next(iter(details))]
        result = (await self("reports", command, details=details))[1]["result"]
        return result and result["payload"]

    async def paid_by_card(self, amount: str = "20000") -> Json:
        reference = self.reference()
        assert await self.post_form(self.form(reference, amount)) == 200
        await self.twin.pay(reference)
        [order] = await self.query(referenceCode=reference)
        return order  # type: ignore[no-any-return]

    async def post_form(self, form: dict[str, str]) -> int:
        async with self.session.post(f"{self.twin.api_url}/ppp-web-gateway-payu/", data=form) as page:
            return page.status

    def refund_of(self, order: Json, value: str | None = None) -> Json:
        charge = order["transactions"][-1]
        partial = {"additionalValues": {"TX_VALUE": {"value": value, "currency": "COP"}}} if value else {}
        return {
            "order": {"id": str(order["id"])},
            "type": "PARTIAL_REFUND" if value else "REFUND",
            "reason": "Reason for requesting the refund",
            "parentTransactionId": charge["id"],
            **partial,
        }

    async def told(self, reference: str, count: int = 1) -> list[dict[str, str]]:
        """What was confirmed of it, once there is so much."""
        async with asyncio.timeout(10):
            while True:
                sent = [dict(parse_qsl(body.decode(), keep_blank_values=True)) for body, _ in self._receiver.received]
                found = [fields for fields in sent if fields.get("reference_sale") == reference]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)

    async def settled(self, reference: str) -> list[Json]:
        """The deliveries of a payment, once none is pending."""
        async with asyncio.timeout(10):
            while True:
                deliveries = await self.twin.deliveries(reference)
                if deliveries and all(entry["state"] != "pending" for entry in deliveries):
                    return deliveries
                await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def running(listening: Any) -> AsyncIterator[ProviderTwin]:
    own = PayuTwinSettings(webhook_url=listening.url, refund_seconds=1e6)
    async with running_twins(payu=own) as twins:
        yield twins.provider("payu")


@pytest.fixture
def payu(running: ProviderTwin, receiver: Any) -> Payu:
    return Payu(running, receiver)


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def other_payu(receiver: Any) -> Any:
    """With a twin of its own; takes what `running_twins` takes."""

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Payu]:
        async with running_twins(payu=PayuTwinSettings(webhook_url=receiver.url), **settings) as twins:
            yield Payu(twins.provider("payu"), receiver)

    return run


class Alone:
    """A ledger without the rest, and a clock that is told to move. emitted: orders and what ended in them."""

    def __init__(self, store: Store, own: PayuTwinSettings) -> None:
        self.now = 1_700_000_000.0
        self.own = own
        self.emitted: list[tuple[Json, Json]] = []
        self.ledger = Ledger(store, self._emit, FaultPlan(), own, "http://x", 1.0, now=lambda: self.now)

    def _emit(self, order: Json, entry: Json) -> None:
        self.emitted.append((order, entry))


@pytest.fixture
def alone() -> Callable[..., Any]:
    """Takes the twin's settings."""

    @contextmanager
    def make(**settings: Any) -> Iterator[Alone]:
        store = Store()
        try:
            yield Alone(store, PayuTwinSettings(**settings))
        finally:
            store.close()

    return make
