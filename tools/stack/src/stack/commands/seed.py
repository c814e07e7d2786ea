"""`seed`: a demo merchant with a branch and stocked products, through the public API, once however often it runs."""

import argparse
import asyncio
import os
from typing import Any

from stack.api import Api, ApiError
from stack.commands import target
from stack.console import say, show
from stack.countries import shop_of
from stack.errors import StackError
from stack.local import SECRETS_FILE
from stack.repository import data_dir
from stack.secret_store import SecretStore

HELP = "make the demo merchant in a running suite; safe to run again"
PHONE = "+525512345678"
_PRODUCTS = (
    ("CAFE-250", "Café de olla 250 g", "89.50", 40),
    ("TORT-1KG", "Tortillas de maíz 1 kg", "24.00", 60),
    ("AGUA-600", "Agua mineral 600 ml", "16.00", 120),
)


def register(parser: argparse.ArgumentParser) -> None:
    target.register(parser)
    parser.add_argument("--show-login", action="store_true", help="print the merchant's phone number and password")


def run(arguments: argparse.Namespace) -> int:
    password = os.environ.get("DEMO_PASSWORD") or SecretStore(data_dir() / SECRETS_FILE)["DEMO_PASSWORD"]
    seed(target.gateway_url(arguments), password)
    if arguments.show_login:
        show(f"login {PHONE} {password}")
    return 0


def seed(gateway_url: str, password: str) -> None:
    """Make what is missing of the demo merchant. StackError when the suite refuses."""
    try:
        asyncio.run(_seed(gateway_url, password))
    except ApiError as error:
        raise StackError(f"The demo merchant could not be made: {error}") from error


async def _seed(gateway_url: str, password: str) -> None:
    async with Api(gateway_url) as api:
        api.authenticate(await _token(api, password))
        shop = shop_of("MX")
        business = await _first(api, "/businesses") or await api.post("/businesses", shop.business())
        branches = f"/businesses/{business['id']}/branches"
        branch = await _first(api, branches) or await api.post(branches, shop.branch())
        present = {product["sku"] for product in await api.get("/products", businessId=business["id"], limit="100")}
        for sku, name, price, quantity in _PRODUCTS:
            if sku in present:
                continue
            product = await api.post(
                "/products",
                {"businessId": business["id"], "sku": sku, "name": name, "price": price, "taxRate": shop.tax_rate},
            )
            await api.post(
                f"/products/{product['id']}/stock-movements",
                {"branchId": branch["id"], "type": "IN", "quantity": quantity, "reason": "Inventario inicial"},
            )
        say(f"demo merchant {PHONE}: {business['name']}, {len(_PRODUCTS)} products")


async def _token(api: Api, password: str) -> str:
    try:
        answer = await api.post("/auth/login", {"phone": PHONE, "password": password})
    except ApiError as error:
        if error.status != 401:
            raise
        answer = await api.post(
            "/auth/register", {"phone": PHONE, "password": password, "firstName": "Lupita", "lastName": "Demo"}
        )
    return str(answer["accessToken"])


async def _first(api: Api, path: str) -> Any:
    found = await api.get(path, limit="1")
    return found[0] if found else None
