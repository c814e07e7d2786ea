"""A shop owner of a test's own: nobody else's phone, business, branch or products."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp
from stack.countries import Shop, shop_of
from twins.testing import ControlRefused

from .client import Answer, Client
from .polling import PATIENCE, until
from .stage import Stage

Json = dict[str, Any]

_SHOP = shop_of("MX")


@dataclass
class Buyer:
    name: str
    phone: str
    email: str

    def body(self) -> Json:
        return {"name": self.name, "phone": self.phone, "email": self.email}


def new_buyer(stage: Stage, *, name: str = "Ana López", shop: Shop = _SHOP) -> Buyer:
    buyer = Buyer(name, shop.phone(), f"ana.{secrets.token_hex(6)}@example.com")
    stage.secrets |= {buyer.phone, buyer.email}
    return buyer


@dataclass
class Merchant:
    """Owner of one business with one branch."""

    stage: Stage
    client: Client
    phone: str
    password: str
    tokens: Json
    business: Json
    branch: Json

    @property
    def business_id(self) -> str:
        return str(self.business["id"])

    @property
    def branch_id(self) -> str:
        return str(self.branch["id"])

    async def log_in(self) -> Json:
        """Tokens of a new session."""
        answer = await self.client.holding(None).post("/auth/login", {"phone": self.phone, "password": self.password})
        tokens: Json = answer.data(200)
        remember(self.stage, tokens)
        return tokens

    async def product(self, *, stock: int = 10, price: str = "89.50", **fields: object) -> Json:
        """A product with so much of it in the branch."""
        body = {
            "businessId": self.business_id,
            "name": "Café de olla 250 g",
            "sku": f"SKU-{secrets.token_hex(6)}",
            "price": price,
            "taxRate": "0.16",
            **fields,
        }
        product: Json = (await self.client.post("/products", body)).data(201)
        if stock:
            movement = {"branchId": self.branch_id, "type": "IN", "quantity": stock, "reason": "Inventario inicial"}
            (await self.client.post(f"/products/{product['id']}/stock-movements", movement)).data(201)
        return product

    def basket(
        self,
        product: Json,
        *,
        quantity: int = 2,
        buyer: Buyer | None = None,
        method: str = "QR_DYNAMIC",
        **payment: Any,
    ) -> Json:
        """The body of `POST /sales`."""
        body: Json = {
            "businessId": self.business_id,
            "branchId": self.branch_id,
            "items": [{"productId": product["id"], "quantity": quantity}],
            "payment": {"method": method, **payment},
        }
        return body if buyer is None else {**body, "customer": buyer.body()}

    async def sell(self, product: Json, **basket: Any) -> Json:
        """A sale that waits for its payment, or a cash sale that is complete."""
        sale: Json = (await self.client.post("/sales", self.basket(product, **basket))).data(201)
        return sale

    async def order_of(self, sale: Json) -> str:
        """What the provider calls the sale's payment."""
        payment = (await self.client.get(f"/payments/{sale['transactionId']}")).data()
        return str(payment["providerRef"])

    async def pay(self, sale: Json, **how: Any) -> None:
        """The buyer pays at the provider."""
        await self.stage.twins.pay(await self.order_of(sale), **how)

    async def sale(self, sale: Json) -> Json:
        found: Json = (await self.client.get(f"/sales/{sale['id']}")).data()
        return found

    async def sale_becomes(self, sale: Json, status: str, *, within: float = PATIENCE) -> Json:
        return await until(lambda: self.sale(sale), lambda found: found["status"] == status, within=within)

    async def payment(self, sale: Json) -> Json:
        found: Json = (await self.client.get(f"/payments/{sale['transactionId']}")).data()
        return found

    async def payment_becomes(self, sale: Json, status: str, *, within: float = PATIENCE) -> Json:
        return await until(lambda: self.payment(sale), lambda found: found["status"] == status, within=within)

    async def stock(self, product: Json) -> tuple[int, int]:
        """On hand and reserved, in the branch."""
        levels = (await self.client.get(f"/products/{product['id']}/stock")).data()
        level = next((level for level in levels if level["branchId"] == self.branch_id), None)
        return (level["onHand"], level["reserved"]) if level else (0, 0)

    async def stock_becomes(self, product: Json, on_hand: int, reserved: int = 0) -> None:
        await until(lambda: self.stock(product), lambda found: found == (on_hand, reserved))

    async def receipt(self, sale: Json, **query: object) -> bytes:
        """The PDF, once there is one."""

        async def fetch() -> Answer:
            answer = await self.client.get(f"/receipts/{sale['id']}", **query)
            if answer.status != 200:
                answer.error(404)
            return answer

        return (await until(fetch, lambda answer: answer.status == 200)).content

    async def messages_to(self, buyer: Buyer, count: int = 1) -> list[Json]:
        """What the buyer was written by SMS, once it is that much."""
        return await until(
            lambda: self.stage.twins.messages(to=buyer.phone), lambda found: len(found) >= count, within=PATIENCE
        )

    async def summary(self) -> Json:
        found: Json = (await self.client.get("/analytics/summary", businessId=self.business_id)).data()
        return found


async def pay_despite_faults(stage: Stage, order: str) -> bool:
    """Whether the order is paid at the twin now, which may be down itself or have taken the money unheard."""
    try:
        await stage.twins.pay(order)
    except ControlRefused:
        return any(found["payment_status"] == "paid" for found in await stage.twins.orders(order))
    except (aiohttp.ClientError, TimeoutError):
        return False
    return True


async def open_shop(stage: Stage, shop: Shop = _SHOP) -> Merchant:
    """Register, open a business, in Mexico unless another shop is named, and a branch."""
    phone, password = shop.phone(), f"Clave-{secrets.token_hex(8)}"
    stage.secrets |= {phone, password}
    anonymous = stage.client.holding(None)
    owner = {"phone": phone, "password": password, "firstName": "Lupita", "lastName": "Torres"}
    tokens = (await anonymous.post("/auth/register", owner)).data(201)
    remember(stage, tokens)
    client = stage.client.holding(tokens["accessToken"])
    business = (await client.post("/businesses", shop.business())).data(201)
    branch = (await client.post(f"/businesses/{business['id']}/branches", shop.branch())).data(201)
    return Merchant(stage, client, phone, password, tokens, business, branch)


def remember(stage: Stage, tokens: Json) -> None:
    """So that no log may show them."""
    stage.secrets |= {tokens["accessToken"], tokens["refreshToken"]}
