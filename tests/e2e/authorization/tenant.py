"""One business with everything it may have, and the people who have to do with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from chassis.crypto import BlindIndex
from notifications.unsubscribe.links import UnsubscribeLinks
from stack.countries import shop_of

from e2e.client import Client
from e2e.merchant import Json, Merchant, new_buyer, open_shop
from e2e.operations import NOWHERE
from e2e.people import Person, register, submit, verify
from e2e.polling import until
from e2e.stage import Stage
from e2e.tokens import claims

from .rules import Persona

_SHOP = shop_of("MX")
_PRICE = "7313.37"

Maker = Callable[["Tenant"], Awaitable[str]]

# A register has one open session.
_COUNTING = asyncio.Lock()


class Tenant:
    """Things are made when they are first asked for, and carry `marker` wherever they carry text.

    Make one with `opened`.
    """

    def __init__(self, merchant: Merchant, marker: str) -> None:
        self.stage: Stage = merchant.stage
        self.merchant = merchant
        self.marker = marker
        self.people: dict[Persona, Person] = {}
        self.other_branch_id = ""
        self.buyer = new_buyer(self.stage, name=marker)
        self._things: dict[str, asyncio.Task[str]] = {}

    @classmethod
    async def opened(cls, stage: Stage, *, employees: bool = True) -> Tenant:
        """A business with two branches, each with an employee of its own."""
        tenant = cls(await open_shop(stage), f"zq{secrets.token_hex(6)}")
        merchant = tenant.merchant
        email = f"{tenant.marker}@example.com"
        account: str = merchant.tokens["user"]["id"]
        owner = Person(stage, account, merchant.phone, email, merchant.password, merchant.tokens)
        await verify(owner)
        tenant.people[Persona.OWNER] = owner
        tenant.other_branch_id = await branch(tenant)
        named = {"name": f"Abarrotes {tenant.marker}", "legalName": f"{tenant.marker} SA de CV"}
        (await tenant.client.call("PATCH", f"/businesses/{tenant.business_id}", body=named)).data(200)
        own = {"firstName": tenant.marker, "lastName": tenant.marker, "email": email}
        (await tenant.client.call("PATCH", "/auth/me", body=own)).data(200)
        if employees:
            tenant.people[Persona.EMPLOYEE] = await tenant.employ(merchant.branch_id)
            tenant.people[Persona.COLLEAGUE] = await tenant.employ(tenant.other_branch_id)
        # The token of the registration knows nothing of the business.
        await owner.renew()
        merchant.client = owner.client
        return tenant

    @property
    def client(self) -> Client:
        """The owner's."""
        return self.merchant.client

    @property
    def business_id(self) -> str:
        return self.merchant.business_id

    async def employ(self, branch_id: str) -> Person:
        """Somebody who was invited to a branch, and accepted."""
        person = await register(self.stage, name=f"Beto {self.marker}")
        membership_id = await invite(self, person.phone, branch_id)
        (await person.client.post(f"/auth/memberships/{membership_id}/accept")).data(200)
        return await person.renew()

    async def dismiss(self, person: Person) -> None:
        members = (await self.client.get(f"/businesses/{self.business_id}/members")).data()
        [member] = [member["id"] for member in members if member["userId"] == person.id]
        answer = await self.client.call("DELETE", f"/businesses/{self.business_id}/members/{member}")
        assert answer.status == 204, answer

    async def thing(self, name: str) -> str:
        """The id of the one that is kept, by the name that paths have for it."""
        if name not in self._things:
            self._things[name] = asyncio.create_task(MAKERS[name](self))
        return await asyncio.shield(self._things[name])

    async def things(self) -> dict[str, str]:
        """Everything that may be asked for."""
        return dict(zip(MAKERS, await asyncio.gather(*(self.thing(name) for name in MAKERS)), strict=True))


async def product(tenant: Tenant) -> str:
    made = await tenant.merchant.product(
        stock=1000,
        price=_PRICE,
        name=f"Café {tenant.marker}",
        sku=f"{tenant.marker}-{secrets.token_hex(4)}",
        category=tenant.marker,
        description=tenant.marker,
    )
    return str(made["id"])


async def branch(tenant: Tenant) -> str:
    body = {**_SHOP.branch(), "name": f"Norte {tenant.marker}"}
    made = (await tenant.client.post(f"/businesses/{tenant.business_id}/branches", body)).data(201)
    return str(made["id"])


async def sale(tenant: Tenant, **payment: Any) -> Json:
    product_id = await tenant.thing("product_id")
    body = tenant.merchant.basket({"id": product_id}, quantity=1, **payment)
    body |= {"notes": tenant.marker, "customer": tenant.buyer.body()}
    sold: Json = (await tenant.client.post("/sales", body)).data(201)
    return sold


async def pending_sale(tenant: Tenant) -> str:
    return str((await sale(tenant))["id"])


async def cash_sale(tenant: Tenant) -> str:
    return str((await sale(tenant, method="CASH"))["id"])


async def paid_sale(tenant: Tenant) -> str:
    sold = await sale(tenant)
    await tenant.merchant.pay(sold)
    await tenant.merchant.sale_becomes(sold, "COMPLETED")
    await tenant.merchant.receipt(sold)
    return str(sold["id"])


async def payment(tenant: Tenant) -> str:
    """Of the sale that is kept."""
    return await _payment_of(tenant, await tenant.thing("sale_id"))


async def paid_payment(tenant: Tenant) -> str:
    return await _payment_of(tenant, await paid_sale(tenant))


async def cash_register(tenant: Tenant) -> str:
    """Closed."""
    body = {
        "businessId": tenant.business_id,
        "branchId": tenant.merchant.branch_id,
        "name": f"{tenant.marker} {secrets.token_hex(4)}",
    }
    return await _made(tenant.client, "/cash-registers", body)


async def open_cash_register(tenant: Tenant) -> str:
    made = await cash_register(tenant)
    (await tenant.client.post(f"/cash-registers/{made}/open", {"openingCash": "500.00"})).data(201)
    return made


async def counted_wrongly(tenant: Tenant) -> str:
    """A closed session of the register that is kept, whose difference waits for the owner."""
    register = f"/cash-registers/{await tenant.thing('register_id')}"
    async with _COUNTING:
        (await tenant.client.post(f"{register}/open", {"openingCash": "500.00"})).data(201)
        closed = (await tenant.client.post(f"{register}/close", {"closingCash": "1.00", "notes": tenant.marker})).data()
    return str(closed["id"])


async def _payment_of(tenant: Tenant, sale_id: str) -> str:
    found = (await tenant.client.get(f"/sales/{sale_id}")).data()
    return str(found["transactionId"])


async def pending_payment(tenant: Tenant) -> str:
    body = {
        "businessId": tenant.business_id,
        "amount": _PRICE,
        "method": "QR_DYNAMIC",
        "description": tenant.marker,
        "metadata": {"pedido": tenant.marker},
    }
    made = (await tenant.client.post("/payments/intent", body)).data(201)
    return str(made["id"])


async def payment_method(tenant: Tenant) -> str:
    return str((await _payment_method(tenant))["id"])


async def payment_method_key(tenant: Tenant) -> str:
    return str((await _payment_method(tenant))["qrCodeUrl"]).rpartition("/")[2]


async def _payment_method(tenant: Tenant) -> Json:
    body = {"businessId": tenant.business_id, "type": "PAYMENT_LINK", "name": tenant.marker}
    made: Json = (await tenant.client.post("/payment-methods", body)).data(201)
    return made


async def reconciliation(tenant: Tenant) -> str:
    """Nobody's in particular."""
    administrator = await register(tenant.stage, role="ADMIN")
    body = {"provider": "conekta", "day": "2026-01-01"}
    return str((await administrator.client.post("/reconciliations", body)).data(202)["id"])


async def refund(tenant: Tenant) -> str:
    payment_id = await tenant.thing("payment_id")
    body = {"amount": "1.00", "reason": tenant.marker}
    made = (await tenant.client.post(f"/payments/{payment_id}/refund", body)).data(201)
    await until(lambda: _refunded(tenant, payment_id))
    return str(made["id"])


async def _refunded(tenant: Tenant, payment_id: str) -> bool:
    found = (await tenant.client.get(f"/payments/{payment_id}")).data()
    return bool(found["refundedAmount"] == "1.00")


async def invoice(tenant: Tenant) -> str:
    """Of the sale that is kept."""
    return await _invoice_of(tenant, await tenant.thing("sale_id"))


async def failed_invoice(tenant: Tenant) -> str:
    """Nothing in a story lets one fail."""
    made = await _invoice_of(tenant, await paid_sale(tenant))
    await tenant.stage.rows(
        "UPDATE billing.invoices SET status = 'FAILED', failed_at = now() WHERE id = $1::uuid RETURNING id", made
    )
    return made


async def _invoice_of(tenant: Tenant, sale_id: str) -> str:
    found = (await tenant.client.get("/invoices", businessId=tenant.business_id, saleId=sale_id)).data()
    return str(found[0]["id"])


async def webhook_event(tenant: Tenant) -> str:
    """A notification about the kept payment."""
    payment_id = await tenant.thing("payment_id")
    query = "SELECT id FROM webhooks.webhook_events WHERE our_reference = $1"
    rows = await until(lambda: tenant.stage.rows(query, payment_id))
    return str(rows[0]["id"])


async def notification(tenant: Tenant) -> str:
    """The receipt of the sale that is kept."""
    await tenant.thing("sale_id")
    return (await until(lambda: _sent(tenant)))[0]


async def _sent(tenant: Tenant) -> list[str]:
    found = await tenant.client.get("/notifications", businessId=tenant.business_id, status="SENT", template="receipt")
    return [str(row["id"]) for row in found.data()]


async def failed_notification(tenant: Tenant) -> str:
    """Another one, given up: nothing in a story lets one fail."""
    kept = await tenant.thing("notification_id")
    await paid_sale(tenant)
    query = """
        UPDATE notifications.notifications SET status = 'FAILED', failed_at = now(), failure_reason = 'no_answer'
        WHERE id = (
            SELECT id FROM notifications.notifications
            WHERE business_id = $1::uuid AND id <> $2::uuid AND status = 'SENT' AND template = 'receipt' LIMIT 1
        ) RETURNING id"""
    rows = await until(lambda: tenant.stage.rows(query, tenant.business_id, kept))
    return str(rows[0]["id"])


async def push_device(tenant: Tenant) -> str:
    body = {"token": f"{tenant.marker}-{secrets.token_urlsafe(40)}", "platform": "ANDROID"}
    return await _made(tenant.client, "/push-devices", body)


async def unsubscribe_token(tenant: Tenant) -> str:
    """Of the kept receipt, as its e-mail would have it."""
    notification_id = UUID(await tenant.thing("notification_id"))
    key = BlindIndex.parse(tenant.stage.suite.secrets["BLIND_INDEX_KEY"])
    return UnsubscribeLinks("", key).token(notification_id)


async def endpoint(tenant: Tenant) -> str:
    body = {
        "businessId": tenant.business_id,
        "url": f"{NOWHERE}/{tenant.marker}",
        "events": ["payment.confirmed"],
        "description": tenant.marker,
    }
    return await _made(tenant.client, "/webhook-endpoints", body)


async def delivery(tenant: Tenant) -> str:
    """To the endpoint that is kept."""
    endpoint_id = await tenant.thing("endpoint_id")
    sent = (await tenant.client.post(f"/webhook-endpoints/{endpoint_id}/test")).data(202)
    return str(sent["id"])


async def invite(tenant: Tenant, phone: str, branch_id: str) -> str:
    body = {"phone": phone, "firstName": tenant.marker, "lastName": tenant.marker, "branchIds": [branch_id]}
    return await _made(tenant.client, f"/businesses/{tenant.business_id}/members", body)


async def member(tenant: Tenant) -> str:
    """Somebody who has not accepted yet."""
    return await invite(tenant, _SHOP.phone(), tenant.merchant.branch_id)


async def invitation(tenant: Tenant) -> str:
    """Of the owner, to another business."""
    inviting = await Tenant.opened(tenant.stage, employees=False)
    return await invite(inviting, tenant.people[Persona.OWNER].phone, inviting.merchant.branch_id)


async def session(tenant: Tenant) -> str:
    """Another one of the owner's."""
    tokens = await tenant.people[Persona.OWNER].log_in()
    return str(claims(tokens["accessToken"])["sid"])


async def submission(tenant: Tenant) -> str:
    """The owner's."""
    return await submit(tenant.people[Persona.OWNER])


async def submission_of_somebody(tenant: Tenant) -> str:
    return await submit(await register(tenant.stage))


async def account_of_somebody(tenant: Tenant) -> str:
    return (await register(tenant.stage)).id


async def _owner(tenant: Tenant) -> str:
    return tenant.people[Persona.OWNER].id


async def _made(client: Client, path: str, body: Json) -> str:
    return str((await client.post(path, body)).data(201)["id"])


async def _business(tenant: Tenant) -> str:
    return tenant.business_id


async def _branch(tenant: Tenant) -> str:
    return tenant.merchant.branch_id


async def _other_branch(tenant: Tenant) -> str:
    return tenant.other_branch_id


async def _provider(tenant: Tenant) -> str:
    return "conekta"


async def _document(tenant: Tenant) -> str:
    return "front"


# By the name of the parameter in a path.
MAKERS: Mapping[str, Maker] = {
    "business_id": _business,
    "branch_id": _branch,
    "other_branch_id": _other_branch,
    "product_id": product,
    "sale_id": paid_sale,
    "register_id": cash_register,
    "cash_session_id": counted_wrongly,
    "payment_id": payment,
    "refund_id": refund,
    "reconciliation_id": reconciliation,
    "method_id": payment_method,
    "method_key": payment_method_key,
    "invoice_id": invoice,
    "event_id": webhook_event,
    "endpoint_id": endpoint,
    "delivery_id": delivery,
    "member_id": member,
    "membership_id": invitation,
    "session_id": session,
    "submission_id": submission,
    "user_id": _owner,
    "provider": _provider,
    "name": _document,
    "notification_id": notification,
    "device_id": push_device,
    "unsubscribe_token": unsubscribe_token,
}
