"""A shop in one country, its provider's twin, and a buyer who comes to where the payment leads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from kernel import new_id
from stack.buyer import Buyer
from stack.countries import Shop, shop_of
from twins.testing import ProviderTwin

from e2e.client import Answer
from e2e.merchant import Json, Merchant, new_buyer, open_shop
from e2e.polling import until
from e2e.stage import Stage

PROVIDERS = {"MX": "conekta", "CO": "payu", "AR": "mercadopago", "CL": "khipu"}
METHODS = tuple((country, method) for country in PROVIDERS for method in shop_of(country).methods)

Plays = Mapping[tuple[str, str], Awaitable[Any]]
"""What is under way, by country and by the scenario's name, the method of payment, or `story`."""

# Longer than the first reading by schedule, which is twenty seconds after the creation, on a busy machine.
PATIENCE = 60.0


@dataclass
class Market:
    """creations: held while a payment is created, so that a fault of a creation strikes the one it is meant for."""

    shop: Shop
    merchant: Merchant
    twin: ProviderTwin
    buyer: Buyer
    creations: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sell(self, method: str | None = None) -> Order:
        async with self.creations:
            basket, product = await self.basket(method)
            answer = await self.merchant.client.post("/sales", basket)
        return await self.order(answer, product)

    async def basket(self, method: str | None = None) -> tuple[Json, Json]:
        """The body of `POST /sales`, and its product: two of ten."""
        product = await self.merchant.product(
            name=self.shop.product, price=self.shop.price, taxRate=self.shop.tax_rate, stock=10
        )
        customer = new_buyer(self.merchant.stage, shop=self.shop)
        return self.merchant.basket(product, method=method or self.shop.methods[0], buyer=customer), product

    async def order(self, answer: Answer, product: Json) -> Order:
        sale = answer.data(201)
        assert sale["status"] == "PENDING_PAYMENT"
        return Order(self, product, sale, await self.merchant.payment(sale))


@dataclass
class Order:
    """A sale that waits for its payment, as both were when it was made."""

    market: Market
    product: Json
    sale: Json
    payment: Json

    @property
    def payment_id(self) -> str:
        return str(self.payment["id"])

    async def fault(self, kind: str, **options: Any) -> None:
        """At the provider's twin, of this payment alone."""
        await self.market.twin.fault(kind, reference=self.payment_id, **options)

    async def come(self) -> None:
        """The buyer comes to the provider's page, which may be when the provider first hears of the payment."""
        await self.market.buyer.arrive(self.payment)

    async def pay(self) -> None:
        await self.market.buyer.pay(self.payment)

    async def becomes(self, status: str) -> Json:
        """The payment, once it is so."""
        return await self.market.merchant.payment_becomes(self.sale, status, within=PATIENCE)

    async def sale_becomes(self, status: str) -> Json:
        return await self.market.merchant.sale_becomes(self.sale, status, within=PATIENCE)

    async def is_sold_once(self, *, by: str | None = None) -> None:
        """Completed, and everything about it there once. by: what led to the confirmation."""
        await self.sale_becomes("COMPLETED")
        await self.market.merchant.stock_becomes(self.product, 8)
        confirmations = [
            entry["cause"]
            for entry in await self.timeline()
            if entry["kind"] == "transition" and entry["toStatus"] == "CONFIRMED"
        ]
        assert len(confirmations) == 1
        assert by in (None, *confirmations)
        journal = await self.journal()
        assert (journal["charges"], journal["charged_amount"]) == (1, self.minor)

    async def is_not_sold(self, *, on_hand: int = 10, reserved: int = 0) -> None:
        await self.market.merchant.stock_becomes(self.product, on_hand, reserved)
        assert (await self.journal())["charges"] == 0

    async def refund(self) -> Answer:
        return await self.market.merchant.client.post(f"/payments/{self.payment_id}/refund", {}, key=str(new_id()))

    async def refunds(self) -> list[Json]:
        found: list[Json] = (await self.market.merchant.client.get(f"/payments/{self.payment_id}/refunds")).data()
        return found

    async def refund_becomes(self, status: str) -> Json:
        found = await until(
            self.refunds, lambda refunds: [one["status"] for one in refunds] == [status], within=PATIENCE
        )
        return found[0]

    async def timeline(self) -> list[Json]:
        found: list[Json] = (await self.market.merchant.client.get(f"/payments/{self.payment_id}/timeline")).data()
        return found

    async def journal(self) -> Json:
        return await self.market.twin.journal(self.payment_id)

    async def was_unheard(self, operation: str) -> bool:
        """Whether such a call got no answer."""
        return any(call["fault"] and call["operation"] == operation for call in (await self.journal())["calls"])

    @property
    def minor(self) -> int:
        """The amount in minor units."""
        return int(str(self.payment["amount"]).replace(".", ""))


async def open_market(stage: Stage, country: str, browser: aiohttp.ClientSession) -> Market:
    shop = shop_of(country)
    twin = stage.twins.provider(PROVIDERS[country])
    return Market(shop, await open_shop(stage, shop), twin, Buyer(browser, stage.twins))
