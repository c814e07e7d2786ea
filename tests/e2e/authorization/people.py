"""Accounts: how a person comes to be who they are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from stack.countries import shop_of

from e2e.client import Client
from e2e.merchant import Json, remember
from e2e.stage import Stage

_SHOP = shop_of("MX")


@dataclass
class Person:
    """An account and the access token of its last log-in."""

    stage: Stage
    id: str
    phone: str
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


async def register(stage: Stage, *, name: str = "Ana") -> Person:
    phone, password = _SHOP.phone(), f"Clave-{secrets.token_hex(8)}"
    stage.secrets |= {phone, password}
    body = {"phone": phone, "password": password, "firstName": name, "lastName": name}
    tokens = (await stage.client.holding(None).post("/auth/register", body)).data(201)
    remember(stage, tokens)
    return Person(stage, tokens["user"]["id"], phone, password, tokens)


async def with_role(stage: Stage, role: str) -> Person:
    """The first administrator has nobody who could appoint them, and nothing makes customers yet."""
    person = await register(stage)
    await stage.rows("UPDATE auth.users SET role = $2 WHERE id = $1::uuid RETURNING id", person.id, role)
    return await person.renew()
