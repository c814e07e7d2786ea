"""Every documented operation, and a valid body for each that takes one: nothing new stays untested unnoticed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from stack.countries import shop_of

from .client import Client
from .merchant import Json, Merchant
from .polling import until

_SHOP = shop_of("MX")
# One of each service.
_SEGMENTS = {"auth", "products", "sales", "payments", "webhooks", "invoices", "notifications", "analytics"}
# Where nobody listens.
NOWHERE = "http://127.0.0.1:9"
_METHODS = {"get", "post", "put", "patch", "delete"}


@dataclass(frozen=True, slots=True)
class Operation:
    """path: with the names of its parameters in braces, without `/api/v1`; outside of that, the whole one after `/`.
    query: names of its query parameters; ids: those of them that take an id. statuses: of its answers."""

    method: str
    path: str
    query: tuple[str, ...]
    ids: tuple[str, ...]
    takes_body: bool
    public: bool
    statuses: frozenset[int]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    def at(self, ids: Mapping[str, str]) -> str:
        """The path with these ids in it."""
        return self.path.format(**ids)


async def documented(client: Client) -> list[Operation]:
    """What the gateway's merged document lists under `/api/v1`."""
    return [operation for operation in operations_of(await merged(client)) if not operation.path.startswith("//")]


async def merged(client: Client) -> Json:
    """The gateway's document, once no service is left out of it for having been slow to give its own."""
    return await until(lambda: document_of(client), lambda found: _segments(found) >= _SEGMENTS)


async def document_of(client: Client) -> Json:
    found: Json = (await client.call("GET", "//openapi.json")).json
    return found


def operations_of(document: Json) -> list[Operation]:
    """Everything it lists."""
    return [
        _operation(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]


def _segments(document: Json) -> set[str]:
    return {path.removeprefix("/api/v1/").partition("/")[0] for path in document["paths"]}


def _operation(method: str, path: str, operation: Json) -> Operation:
    query = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    return Operation(
        method.upper(),
        path.removeprefix("/api/v1") if path.startswith("/api/v1/") else f"/{path}",
        tuple(one["name"] for one in query),
        tuple(one["name"] for one in query if _takes_id(one["schema"])),
        "requestBody" in operation,
        not operation.get("security"),
        frozenset(map(int, operation["responses"])),
    )


def _takes_id(schema: Json) -> bool:
    return any(option.get("format") == "uuid" for option in (schema, *schema.get("anyOf", ())))


def valid_bodies(merchant: Merchant, product: Json) -> dict[str, Json]:
    """By the operation's name; of the merchant's own things."""
    business = {**_SHOP.business(), "phone": "+525512345678", "email": "tienda@example.com", "isActive": True}
    branch = {**_SHOP.branch(), "phone": "+525512345678", "address": "Calle 5 de Mayo 1"}
    priced = {
        "name": "Chocolate",
        "price": "45.00",
        "cost": "20.00",
        "taxRate": "0.16",
        "sku": f"SKU-{secrets.token_hex(6)}",
        "barcode": secrets.token_hex(6),
        "description": "De mesa",
        "category": "Abarrotes",
        "minStock": 1,
        "imageUrl": "https://example.com/chocolate.jpg",
        "isActive": True,
    }
    buyer = {"name": "Ana López", "phone": "+525587654321", "email": "ana@example.com"}
    return {
        "POST /auth/register": {
            "phone": _SHOP.phone(),
            "password": "una-clave-larga",
            "email": "lupita@example.com",
            "firstName": "Lupita",
            "lastName": "Torres",
        },
        "POST /auth/login": {"phone": merchant.phone, "password": "no-es-la-suya"},
        "POST /auth/refresh": {"refreshToken": "no-es-uno"},
        "POST /auth/verification": {"channel": "email"},
        "POST /auth/verification/confirm": {"channel": "email", "code": "042917"},
        "POST /auth/password/forgot": {"phone": _SHOP.phone(), "channel": "sms"},
        "POST /auth/password/reset": {"phone": _SHOP.phone(), "code": "042917", "newPassword": "una-clave-larga"},
        "POST /auth/password/change": {"currentPassword": "no-es-la-suya", "newPassword": "una-clave-larga"},
        "POST /kyc/submissions/{submission_id}/reject": {"reason": "No se lee"},
        "PATCH /users/{user_id}": {"email": f"{secrets.token_hex(6)}@example.com", "firstName": "Lupita"},
        "PUT /users/{user_id}/role": {"role": "MERCHANT"},
        "PATCH /auth/me": {"email": "lupita@example.com", "firstName": "Lupita", "lastName": "Torres"},
        "POST /businesses": business,
        "PUT /businesses/{business_id}": business,
        "PATCH /businesses/{business_id}": {"name": "Otra", "city": "Puebla", "timeZone": "America/Mexico_City"},
        "POST /businesses/{business_id}/branches": branch,
        "PUT /businesses/{business_id}/branches/{branch_id}": branch,
        "PATCH /businesses/{business_id}/branches/{branch_id}": {"name": "Norte", "phone": "+525512345678"},
        "POST /businesses/{business_id}/members": {
            "phone": _SHOP.phone(),
            "firstName": "Beto",
            "lastName": "Ruiz",
            "branchIds": [merchant.branch_id],
        },
        "PATCH /businesses/{business_id}/members/{member_id}": {"firstName": "Beto", "branchIds": [merchant.branch_id]},
        "POST /products": {"businessId": merchant.business_id, "stock": 1, **priced},
        "PUT /products/{product_id}": priced,
        "PATCH /products/{product_id}": {"name": "Chocolate", "price": "46.00", "minStock": 2, "isActive": True},
        "POST /products/{product_id}/stock-movements": {
            "branchId": merchant.branch_id,
            "type": "IN",
            "quantity": 1,
            "reason": "Compra",
        },
        "PUT /catalog-settings/{business_id}": {"allowNegativeStock": False},
        "POST /sales": {
            **merchant.basket(product, quantity=1, expiresIn=900),
            "discount": "1.00",
            "notes": "Sin bolsa",
            "customer": {**buyer, "taxId": "XAXX010101000"},
        },
        "POST /sales/sync": {
            "businessId": merchant.business_id,
            "branchId": merchant.branch_id,
            "deviceId": "caja-1",
            "lastSequence": 1,
            "sales": [
                {
                    "id": str(uuid4()),
                    "soldAt": datetime.now(UTC).isoformat(),
                    "sequence": 1,
                    "items": [{"productId": product["id"], "quantity": 1}],
                    "payment": {"method": "CASH", "tendered": "10000.00"},
                    "total": "45.00",
                }
            ],
        },
        "POST /sales/{sale_id}/cancel": {},
        "POST /cash-registers": {
            "businessId": merchant.business_id,
            "branchId": merchant.branch_id,
            "name": f"Caja {secrets.token_hex(4)}",
            "tolerance": "20.00",
        },
        "PATCH /cash-registers/{register_id}": {"name": f"Caja {secrets.token_hex(4)}", "tolerance": None},
        "POST /cash-registers/{register_id}/open": {"openingCash": "500.00"},
        "POST /cash-registers/{register_id}/close": {"denominations": {"200": 2, "0.50": 1}, "notes": "Sin novedad"},
        "POST /cash-registers/{register_id}/movements": {"type": "IN", "amount": "50.00", "reason": "Cambio"},
        "POST /cash-registers/{register_id}/sessions/{cash_session_id}/approve": {"note": "Visto"},
        "POST /sales/{sale_id}/refund": {"amount": "1.00", "reason": "Precio equivocado"},
        "POST /payments/intent": {
            "businessId": merchant.business_id,
            "amount": "150.50",
            "currency": "MXN",
            "method": "QR_DYNAMIC",
            "description": "Anticipo",
            "metadata": {"pedido": "7"},
            "customer": buyer,
            "expiresIn": 900,
        },
        "POST /payment-methods": {
            "businessId": merchant.business_id,
            "type": "QR_STATIC",
            "name": "Mostrador",
            "description": "Caja 1",
            "isActive": True,
        },
        "PUT /payment-methods/{method_id}": {"name": "Barra", "description": "Caja 2", "isActive": True},
        "PATCH /payment-methods/{method_id}": {"name": "Terraza", "isActive": True},
        "PUT /payment-accounts/{provider}": {
            "environment": "TEST",
            "credentials": {"apiKey": "no-es-la-suya"},
            "sameAccount": False,
        },
        "POST /reconciliations": {"provider": "conekta", "day": "2026-01-01"},
        "POST /payments/{payment_id}/confirm": {"reason": "Prueba"},
        "POST /payments/{payment_id}/refund": {"amount": "1.00", "reason": "Devolución"},
        "POST /invoices": {
            "saleId": str(UUID(int=7)),
            "customer": {
                "name": "Ana López",
                "taxId": "XOSE900101AB1",
                "regime": "616",
                "use": "S01",
                "email": "ana@example.com",
                "address": {"street": "Calle 5 de Mayo 1", "city": "Puebla", "postalCode": "72000"},
            },
        },
        "POST /invoices/{invoice_id}/cancel": {"motive": "02", "substitution": "5803EB8D-81CD-4557-8719-26632D2FA434"},
        "PUT /fiscal-profiles/{business_id}": {
            "taxId": "EKU9003173C9",
            "legalName": "Escuela Kemper Urgate",
            "tradeName": "Abarrotes Lupita",
            "taxRegime": "601",
            "address": {"street": "Calle 5 de Mayo 1", "city": "Puebla", "state": "Puebla", "postalCode": "72000"},
            "environment": "TEST",
            "automaticIssue": True,
            "fields": {"series": "A"},
            "credentials": {"certificate": "AAAA"},
            "numbering": [{"series": "A", "from": "1", "to": "9"}],
        },
        "POST /webhook-endpoints": {
            "businessId": merchant.business_id,
            "url": f"{NOWHERE}/cobro",
            "events": ["payment.confirmed", "sale.completed"],
            "description": "Contabilidad",
            "isActive": True,
        },
        "PATCH /webhook-endpoints/{endpoint_id}": {"url": f"{NOWHERE}/otro", "events": ["sale.created"]},
        "PUT /notification-preferences": {
            "businessId": merchant.business_id,
            "language": "es",
            "channels": {"sms": True, "email": True, "push": True},
            "branding": {"color": "#7c2d12", "logoUrl": "https://example.com/logo.png"},
        },
        "PUT /notification-preferences/me": {
            "muted": [{"eventClass": "STOCK", "channel": "PUSH"}],
            "quietHours": None,
        },
        "POST /push-devices": {"token": f"fcm-{secrets.token_urlsafe(40)}", "platform": "ANDROID"},
    }


async def things_of(merchant: Merchant, product: Json) -> dict[str, Any]:
    """One of everything a path may name, by the parameter's name: a paid sale, its payment, a refund, its invoice."""
    sale = await merchant.sell(product)
    await merchant.pay(sale)
    await merchant.sale_becomes(sale, "COMPLETED")
    await merchant.receipt(sale)
    payment = f"/payments/{sale['transactionId']}"
    refund = (await merchant.client.post(f"{payment}/refund", {"amount": "1.00"})).data(201)
    invoices = (await merchant.client.get("/invoices", businessId=merchant.business_id)).data()
    return {
        "business_id": merchant.business_id,
        "branch_id": merchant.branch_id,
        "product_id": product["id"],
        "sale_id": sale["id"],
        **await drawer_of(merchant),
        "payment_id": sale["transactionId"],
        "refund_id": refund["id"],
        "invoice_id": invoices[0]["id"],
    }


async def drawer_of(merchant: Merchant) -> dict[str, str]:
    """A new register with its open session, by the parameters' names."""
    drawer = {
        "businessId": merchant.business_id,
        "branchId": merchant.branch_id,
        "name": f"Caja {secrets.token_hex(4)}",
    }
    register = (await merchant.client.post("/cash-registers", drawer)).data(201)
    opened = (await merchant.client.post(f"/cash-registers/{register['id']}/open", {"openingCash": "1.00"})).data(201)
    return {"register_id": register["id"], "cash_session_id": opened["id"]}
