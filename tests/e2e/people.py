"""Accounts: how a person comes to be who they are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from ipaddress import ip_network

from kernel import new_id
from stack.countries import shop_of

from .client import Answer, Client
from .forms import identity_form
from .merchant import Json, remember
from .polling import until
from .stage import Stage

_SHOP = shop_of("MX")
_CLIENTS = ip_network("198.18.0.0/15")


def elsewhere() -> dict[str, str]:
    """Headers of a client with an address of its own: it may be slowed down for what others do from its address."""
    return {"X-Forwarded-For": str(_CLIENTS[secrets.randbelow(_CLIENTS.num_addresses)])}


@dataclass
class Person:
    """An account whose phone is verified, and the tokens of its last log-in."""

    stage: Stage
    id: str
    phone: str
    email: str
    password: str
    tokens: Json

    @property
    def token(self) -> str:
        return str(self.tokens["accessToken"])

    @property
    def client(self) -> Client:
        return self.stage.client.holding(self.token)

    async def log_in(self) -> Json:
        """Another session."""
        body = {"phone": self.phone, "password": self.password}
        tokens: Json = (await self.stage.client.holding(None).post("/auth/login", body)).data(200)
        remember(self.stage, tokens)
        return tokens

    async def renew(self) -> Person:
        """With a token that says what is true by now."""
        self.tokens = await self.log_in()
        return self


async def register(stage: Stage, *, name: str = "Ana", role: str = "MERCHANT") -> Person:
    """The phone is verified behind the scenes, where also the first administrator comes from, and every customer."""
    phone, password, email = _SHOP.phone(), f"Clave-{secrets.token_hex(8)}", f"{secrets.token_hex(8)}@example.com"
    stage.secrets |= {phone, password, email}
    body = {"phone": phone, "password": password, "email": email, "firstName": name, "lastName": name}
    tokens = (await stage.client.holding(None).post("/auth/register", body)).data(201)
    remember(stage, tokens)
    person = Person(stage, tokens["user"]["id"], phone, email, password, tokens)
    await verify(person, role=role)
    return person if role == "MERCHANT" else await person.renew()


async def verify(person: Person, *, role: str = "MERCHANT") -> None:
    await person.stage.rows(
        "UPDATE auth.users SET phone_verified_at = now(), role = $2 WHERE id = $1::uuid RETURNING id", person.id, role
    )


async def submit(person: Person) -> str:
    """Ask for LEVEL_1; the submission's id."""
    form = identity_form()

    async def send() -> Answer:
        headers = {"Content-Type": form.content_type, "Idempotency-Key": str(new_id())}
        return await person.client.call("POST", "/kyc/submissions", raw=form.content, headers=headers)

    # Few uploads are taken at a time.
    answer = await until(send, lambda found: found.status != 429)
    return str(answer.data(201)["id"])
