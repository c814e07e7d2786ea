"""What requests carry where `operations.valid_bodies` will not do: it has to succeed here, and each time anew."""

from __future__ import annotations

import base64
import re
import secrets
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from stack.countries import shop_of

from e2e.merchant import Json
from e2e.polling import until

from .rules import Persona
from .tenant import Tenant

_SHOP = shop_of("MX")


async def registration(tenant: Tenant) -> Json:
    return {"phone": _SHOP.phone(), "password": f"Clave-{secrets.token_hex(8)}"}


async def log_in(tenant: Tenant) -> Json:
    owner = tenant.people[Persona.OWNER]
    return {"phone": owner.phone, "password": owner.password}


async def refresh(tenant: Tenant) -> Json:
    tokens = await tenant.people[Persona.OWNER].log_in()
    return {"refreshToken": tokens["refreshToken"]}


async def profile(tenant: Tenant) -> Json:
    return {"email": f"{secrets.token_hex(8)}@example.com"}


async def product(tenant: Tenant) -> Json:
    return {"businessId": tenant.business_id, "name": "Chocolate", "price": "45.00", "stock": 1}


async def notification(tenant: Tenant) -> Json:
    """Of a kind that moves nothing."""
    return {
        "id": secrets.token_hex(12),
        "object": "event",
        "type": "webhook_ping",
        "livemode": False,
        "created_at": int(time.time()),
        "data": {"object": {}},
    }


def signature(tenant: Tenant, body: bytes) -> dict[str, str]:
    """As Conekta signs."""
    pem = tenant.stage.suite.secrets["TWINS_CONEKTA_PRIVATE_KEY"].replace("\\n", "\n")
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return {"DIGEST": base64.b64encode(key.sign(body, PKCS1v15(), hashes.SHA256())).decode()}


async def receipt_key(tenant: Tenant) -> dict[str, str]:
    """As the buyer of the kept sale was written it."""
    sale_id = await tenant.thing("sale_id")
    return {"key": (await until(lambda: _keys_of(tenant, sale_id)))[0]}


async def _keys_of(tenant: Tenant, sale_id: str) -> list[str]:
    messages = await tenant.stage.twins.messages(to=tenant.buyer.phone)
    found: list[str] = re.findall(rf"{sale_id}\?key=([\w-]+)", " ".join(message["text"] for message in messages))
    return found
