"""`demo`: a sale and its refund against a running suite, as a shop owner of a country and her customer live it."""

import argparse
import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from twins.testing import ControlRefused, ask, connected

from stack.api import Api, ApiError
from stack.buyer import Buyer
from stack.commands import target
from stack.console import show
from stack.countries import Shop, shop_of
from stack.errors import StackError
from stack.fiscal_examples import example_of

HELP = "play a whole sale and its refund against the running suite; exit code 1 when a step fails"
_PATIENCE_SECONDS = 90.0
# So that what a faulty suite never answers is asked for again.
_BROWSER_TIMEOUT = aiohttp.ClientTimeout(total=15)
_WAYS = {"QR_DYNAMIC": "by QR", "PAYMENT_LINK": "by payment link", "BANK_TRANSFER": "by bank transfer"}


class StepFailed(Exception):
    """What was expected did not come to pass."""


def register(parser: argparse.ArgumentParser) -> None:
    target.register(parser)
    parser.add_argument("--country", default=os.environ.get("COUNTRY", "MX"), help="MX, CO, AR or CL")


def run(arguments: argparse.Namespace) -> int:
    story = Story(target.gateway_url(arguments), target.twins_url(arguments), shop_of(arguments.country))
    try:
        return asyncio.run(story.play())
    except (StepFailed, aiohttp.ClientError) as error:
        raise StackError(str(error)) from error


class Story:
    """The steps, in order. Each prints one line; the first that fails ends the story."""

    def __init__(self, gateway_url: str, twins_url: str, shop: Shop) -> None:
        self._gateway_url = gateway_url
        self._twins_url = twins_url
        self._shop = shop
        self._method = shop.methods[0]
        self._buyer_phone = shop.phone()
        self._fiscal = example_of(shop.country)

    async def play(self) -> int:
        """The exit code: 0 when every step came out as it should."""
        steps: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
            ("The shop owner registers", self._register),
            ("She opens her business and a branch", self._open_business),
            *([(f"She tells {self._fiscal.authority} who she is", self._tell_authority)] if self._fiscal else []),
            ("She loads a product, ten in stock", self._load_product),
            (f"She sells two of it {_WAYS[self._method]}", self._sell),
            ("The buyer pays; the provider sends its signed webhook", self._pay),
            ("The sale completes", self._await_completion),
            ("The stock falls by two", self._check_stock),
            ("A receipt exists as PDF", self._check_receipt),
            ("The buyer is written to", self._check_message),
            ("The day's report shows the sale", self._check_report),
            ("She gives the money back", self._refund),
            ("The provider carries it out", self._await_refund),
            *self._fiscal_steps(),
        )
        # They may be starting again, like everything else in the story.
        await self._until(
            self._twins_answer, bool, lambda _: f"The twins of the outside systems do not answer at {self._twins_url}."
        )
        started = time.monotonic()
        async with (
            Api(self._gateway_url) as api,
            connected(self._twins_url) as twins,
            aiohttp.ClientSession(timeout=_BROWSER_TIMEOUT) as browser,
        ):
            self._api, self._twins, self._buyer = api, twins, Buyer(browser, twins)
            self._browser = browser
            for number, (title, step) in enumerate(steps, start=1):
                begun = time.monotonic()
                try:
                    outcome, mark = await step(), "ok"
                except (StepFailed, ApiError, aiohttp.ClientError, TimeoutError) as error:
                    outcome, mark = str(error) or type(error).__name__, "FAILED"
                show(f"{number:>2}. {mark:<6} {title}: {outcome}  [{time.monotonic() - begun:.2f} s]")
                if mark == "FAILED":
                    show(f"\nThe story ended at step {number} of {len(steps)}.")
                    return 1
        show(f"\nThe whole story in {time.monotonic() - started:.1f} s.")
        return 0

    async def _twins_answer(self) -> bool:
        try:
            async with connected(self._twins_url):
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _register(self) -> str:
        phone = self._shop.phone()
        answer = await self._api.post(
            "/auth/register",
            {"phone": phone, "password": f"Demo-{secrets.token_hex(8)}", "firstName": "Lupita", "lastName": "Torres"},
        )
        self._api.authenticate(answer["accessToken"])
        return phone

    async def _open_business(self) -> str:
        self._business = await self._api.post("/businesses", self._shop.business())
        self._branch = await self._api.post(f"/businesses/{self._business['id']}/branches", self._shop.branch())
        return f"{self._business['name']}, {self._branch['name']}"

    async def _load_product(self) -> str:
        self._product = await self._api.post(
            "/products",
            {
                "businessId": self._business["id"],
                "name": self._shop.product,
                "sku": f"DEMO-{secrets.token_hex(3).upper()}",
                "price": self._shop.price,
                "taxRate": self._shop.tax_rate,
            },
        )
        await self._api.post(
            f"/products/{self._product['id']}/stock-movements",
            {"branchId": self._branch["id"], "type": "IN", "quantity": 10, "reason": "Inventario inicial"},
        )
        return f"{self._product['name']} at {self._product['price']}"

    async def _sell(self) -> str:
        self._sale = await self._api.post(
            "/sales",
            {
                "businessId": self._business["id"],
                "branchId": self._branch["id"],
                "items": [{"productId": self._product["id"], "quantity": 2}],
                "customer": {"name": "Ana López", "phone": self._buyer_phone},
                "payment": {"method": self._method},
            },
        )
        _expect(self._sale["status"] == "PENDING_PAYMENT", f"the sale is {self._sale['status']}")
        way = self._sale["payment"].get("paymentLink" if self._method == "PAYMENT_LINK" else "qrCodeUrl")
        _expect(bool(way), "the payment does not say how to pay it")
        return f"total {self._sale['total']}, {self._sale['status']}, {way}"

    async def _pay(self) -> str:
        self._payment = await self._api.get(f"/payments/{self._sale['transactionId']}")
        await self._until(self._paid, bool, lambda paid: "the provider's twin does not answer")
        return f"{self._payment['providerAdapter']} {self._payment['providerRef']}"

    async def _paid(self) -> bool:
        """Whether the payment is paid now. A lost answer is asked for again."""
        try:
            await self._buyer.pay(self._payment)
        except ControlRefused as refusal:
            raise StepFailed(f"the twin refused: {refusal}") from refusal
        except (aiohttp.ClientError, TimeoutError):
            return False
        return True

    async def _await_completion(self) -> str:
        sale = await self._until(
            lambda: self._api.get(f"/sales/{self._sale['id']}"),
            lambda sale: sale["status"] == "COMPLETED",
            lambda sale: f"the sale is still {sale['status']}",
        )
        return str(sale["status"])

    async def _check_stock(self) -> str:
        def at_branch(levels: Any) -> dict[str, Any]:
            return next((level for level in levels if level.get("branchId") == self._branch["id"]), {})

        levels = await self._until(
            lambda: self._api.get(f"/products/{self._product['id']}/stock"),
            lambda levels: at_branch(levels).get("onHand") == 8 and at_branch(levels).get("reserved") == 0,
            lambda levels: f"the stock is {at_branch(levels)}",
        )
        return f"{at_branch(levels)['onHand']} on hand, {at_branch(levels)['reserved']} reserved"

    async def _check_receipt(self) -> str:
        async def fetch() -> bytes:
            try:
                return await self._api.download(f"/receipts/{self._sale['id']}")
            except ApiError as error:
                if error.status != 404:
                    raise
                return b""

        pdf = await self._until(fetch, lambda pdf: pdf.startswith(b"%PDF"), lambda pdf: "there is no receipt")
        return f"{len(pdf)} bytes"

    async def _check_message(self) -> str:
        async def fetch() -> list[dict[str, Any]]:
            try:
                return await self._twins.messages(to=self._buyer_phone)
            except (aiohttp.ClientError, TimeoutError):
                return []

        messages = await self._until(fetch, bool, lambda messages: f"nothing was sent to {self._buyer_phone}")
        _expect(len(messages) == 1, f"{len(messages)} messages were sent instead of one")
        return str(messages[0]["text"])

    async def _check_report(self) -> str:
        # The day is the business's, which may end while the story is played.
        today = datetime.now(ZoneInfo(self._business["timeZone"])).date()
        period = {"from": str(today), "to": str(today + timedelta(days=1))}
        summary = await self._until(
            lambda: self._api.get("/analytics/summary", businessId=self._business["id"], **period),
            lambda summary: summary["salesCount"] == 1 and summary["invoices"]["count"] == 1,
            lambda summary: f"the report says {summary}",
        )
        _expect(summary["revenue"] == self._sale["total"], f"the report says {summary}")
        return f"{summary['salesCount']} sale, {summary['revenue']} {summary['currency']}, of it {summary['tax']} tax"

    async def _refund(self) -> str:
        self._refunded = await self._api.post(
            f"/payments/{self._payment['id']}/refund", {"reason": "El cliente devolvió la compra"}
        )
        _expect(self._refunded["amount"] == self._sale["total"], f"the refund is {self._refunded}")
        return f"{self._refunded['amount']} {self._payment['currency']}, {self._refunded['status']}"

    async def _await_refund(self) -> str:
        provider = self._buyer.provider_of(self._payment)
        if self._refunded["status"] == "PENDING":
            # Most providers take hours or days.
            await provider.settle_refunds(self._payment["id"])
        payment = await self._until(
            lambda: self._api.get(f"/payments/{self._payment['id']}"),
            lambda payment: payment["status"] == "REFUNDED",
            lambda payment: f"the payment is still {payment['status']}",
        )
        journal = await provider.journal(payment["id"])
        _expect(journal["refunded_amount"] == journal["charged_amount"], f"the provider gave back {journal}")
        return f"{payment['refundedAmount']} given back, the payment is {payment['status']}"

    def _fiscal_steps(self) -> tuple[tuple[str, Callable[[], Awaitable[str]]], ...]:
        if self._fiscal is None:
            return ()
        return (
            (f"The sale has its document of {self._fiscal.authority}", self._check_fiscal_document),
            ("What was given back has its credit note", self._check_credit_note),
        )

    async def _tell_authority(self) -> str:
        assert self._fiscal is not None

        async def control(path: str, body: Mapping[str, object]) -> dict[str, Any]:
            return await ask(self._browser, "POST", f"{self._twins_url}{path}", dict(body))

        profile = await self._fiscal.profile(self._shop, control)
        told = await self._api.put(f"/fiscal-profiles/{self._business['id']}", profile)
        return f"{told['legalName']}, {told['taxId']}, {told['environment']}"

    async def _check_fiscal_document(self) -> str:
        assert self._fiscal is not None
        if self._fiscal.buyer is not None:
            await self._api.post("/invoices", {"saleId": self._sale["id"], "customer": dict(self._fiscal.buyer)})
        return await self._fiscal_document(("TICKET", "INVOICE"))

    async def _check_credit_note(self) -> str:
        return await self._fiscal_document(("CREDIT_NOTE",))

    async def _fiscal_document(self, kinds: Sequence[str]) -> str:
        """Waits until the sale's document of one of these kinds is accepted and printed."""

        def of_kinds(documents: Any) -> list[dict[str, Any]]:
            return [document for document in documents if document["kind"] in kinds]

        found = await self._until(
            lambda: self._api.get("/invoices", businessId=self._business["id"], saleId=self._sale["id"]),
            lambda documents: any(one["status"] in ("ISSUED", "CANCELED") for one in of_kinds(documents)),
            lambda documents: f"the documents are {of_kinds(documents)}",
        )
        document = next(one for one in of_kinds(found) if one["status"] in ("ISSUED", "CANCELED"))
        pdf = await self._api.download(f"/invoices/{document['id']}/pdf")
        _expect(pdf.startswith(b"%PDF"), "there is no PDF")
        number, fiscal_id = document["invoiceNumber"], document["fiscalData"]["fiscalId"]
        return f"{document['kind']} {number}, {fiscal_id}, PDF of {len(pdf)} bytes"

    async def _until(
        self, fetch: Callable[[], Awaitable[Any]], enough: Callable[[Any], bool], complaint: Callable[[Any], str]
    ) -> Any:
        """What `fetch` gives once it is enough; StepFailed with the complaint when patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = await fetch()
            if enough(found):
                return found
            if time.monotonic() > deadline:
                raise StepFailed(complaint(found))
            await asyncio.sleep(0.1)


def _expect(condition: bool, complaint: str) -> None:
    if not condition:
        raise StepFailed(complaint)
