"""What requests carry where `operations.valid_bodies` will not do: it has to succeed here, and each time anew."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from stack.countries import shop_of

from e2e.forms import Form, identity_form
from e2e.merchant import Json
from e2e.people import Person, elsewhere, register
from e2e.polling import until

from .tenant import Tenant

_SHOP = shop_of("MX")


async def registration(tenant: Tenant, caller: Person | None) -> Json:
    return {"phone": _SHOP.phone(), "password": f"Clave-{secrets.token_hex(8)}"}


async def log_in(tenant: Tenant, caller: Person | None) -> Json:
    somebody = await register(tenant.stage)
    return {"phone": somebody.phone, "password": somebody.password}


async def refresh(tenant: Tenant, caller: Person | None) -> Json:
    somebody = await register(tenant.stage)
    return {"refreshToken": somebody.tokens["refreshToken"]}


async def profile(tenant: Tenant, caller: Person | None) -> Json:
    return {"email": f"{secrets.token_hex(8)}@example.com"}


async def confirmation(tenant: Tenant, caller: Person | None) -> Json:
    assert caller is not None
    (await caller.client.post("/auth/verification", {"channel": "email"})).data(202)
    return {"channel": "email", "code": await _code_to(tenant, caller.email)}


async def forgotten(tenant: Tenant, caller: Person | None) -> Json:
    return {"phone": _SHOP.phone()}


async def reset(tenant: Tenant, caller: Person | None) -> Json:
    somebody = await register(tenant.stage)
    body = {"phone": somebody.phone}
    (await tenant.stage.client.call("POST", "/auth/password/forgot", body=body, headers=elsewhere())).data(202)
    code = await _code_to(tenant, somebody.phone)
    return {"phone": somebody.phone, "code": code, "newPassword": f"Otra-{secrets.token_hex(8)}"}


async def new_password(tenant: Tenant, caller: Person | None) -> Json:
    assert caller is not None
    return {"currentPassword": caller.password, "newPassword": f"Otra-{secrets.token_hex(8)}"}


async def identity(tenant: Tenant, caller: Person | None) -> Form:
    return identity_form()


async def invited(tenant: Tenant, caller: Person | None) -> Json:
    return {"phone": _SHOP.phone(), "firstName": "Beto", "branchIds": [tenant.merchant.branch_id]}


async def product(tenant: Tenant, caller: Person | None) -> Json:
    return {"businessId": tenant.business_id, "name": "Chocolate", "price": "45.00", "stock": 1}


async def product_of_business(tenant: Tenant, caller: Person | None) -> Json:
    return {"businessId": tenant.business_id, "name": "Chocolate", "price": "46.00"}


async def catalogue(tenant: Tenant, caller: Person | None) -> Form:
    return Form(f"sku,name,price\n{secrets.token_hex(8)},Chocolate,45.00\n".encode(), "text/csv")


async def transfer(tenant: Tenant, caller: Person | None) -> Json:
    return {
        "branchId": tenant.merchant.branch_id,
        "toBranchId": tenant.other_branch_id,
        "type": "TRANSFER",
        "quantity": 1,
    }


async def cash_sale(tenant: Tenant, caller: Person | None) -> Json:
    product: Json = {"id": await tenant.thing("product_id")}
    return tenant.merchant.basket(product, quantity=1, method="CASH", tendered="10000.00")


async def document_key(tenant: Tenant) -> dict[str, str]:
    shown = (await tenant.client.get(f"/invoices/{await tenant.thing('invoice_id')}")).data()
    return dict(parse_qsl(urlsplit(shown["pdfUrl"]).query))


async def nominative(tenant: Tenant, caller: Person | None) -> Json:
    buyer = {"name": tenant.marker, "taxId": "XOSE900101AB1", "regime": "616", "use": "S01"}
    return {"saleId": await tenant.thing("sale_id"), "customer": buyer}


async def cancellation(tenant: Tenant, caller: Person | None) -> Json:
    return {"motive": "02"}


async def fiscal_profile(tenant: Tenant, caller: Person | None) -> Json:
    """With nothing to sign with."""
    return {"taxId": "EKU9003173C9", "legalName": tenant.marker, "taxRegime": "601", "credentials": {}}


async def notification(tenant: Tenant, caller: Person | None) -> Json:
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


async def twilio_report(tenant: Tenant, caller: Person | None) -> Form:
    """Of a message that is none of ours."""
    return Form(b"MessageSid=SM0&MessageStatus=sent", "application/x-www-form-urlencoded")


def twilio_signature(tenant: Tenant, body: bytes) -> dict[str, str]:
    url = f"{tenant.stage.suite.gateway_url}/api/v1/notifications/callbacks/twilio"
    text = url + "".join(name + value for name, value in sorted(parse_qsl(body.decode())))
    token = tenant.stage.suite.secrets["TWINS_TWILIO_AUTH_TOKEN"]
    return {"X-Twilio-Signature": base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()}


async def sendgrid_report(tenant: Tenant, caller: Person | None) -> list[Json]:
    return []


def sendgrid_signature(tenant: Tenant, body: bytes) -> dict[str, str]:
    pem = tenant.stage.suite.secrets["TWINS_SENDGRID_PRIVATE_KEY"].replace("\\n", "\n")
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    timestamp = str(int(time.time()))
    signature = key.sign(timestamp.encode() + body, ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
    }


async def own_account(tenant: Tenant, caller: Person | None) -> Json:
    """With keys that the provider accepts."""
    return {"environment": "TEST", "credentials": {"apiKey": tenant.stage.twins.api_key}}


async def amount_entered(tenant: Tenant, caller: Person | None) -> Form:
    return Form(b"amount=25.50&note=Mesa+4", "application/x-www-form-urlencoded")


async def receipt_key(tenant: Tenant) -> dict[str, str]:
    """As the buyer of the kept sale was written it."""
    sale_id = await tenant.thing("sale_id")
    return {"key": (await until(lambda: _keys_of(tenant, sale_id)))[0]}


async def _keys_of(tenant: Tenant, sale_id: str) -> list[str]:
    messages = await tenant.stage.twins.messages(to=tenant.buyer.phone)
    found: list[str] = re.findall(rf"{sale_id}\?key=([\w-]+)", " ".join(message["text"] for message in messages))
    return found


async def _code_to(tenant: Tenant, recipient: str) -> str:
    return (await until(lambda: _codes_in_messages(tenant, recipient)))[0]


async def _codes_in_messages(tenant: Tenant, recipient: str) -> list[str]:
    messages = await tenant.stage.twins.messages(to=recipient)
    return [found for message in messages for found in re.findall(r"\b\d{6}\b", message["text"])]
