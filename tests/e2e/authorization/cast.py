"""Everybody who calls: with the token that makes them who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from e2e.client import Client
from e2e.people import Person, register
from e2e.stage import Stage
from e2e.tokens import Forger

from .rules import Persona
from .tenant import Tenant

_ROLES = {Persona.ADMIN: "ADMIN", Persona.CUSTOMER: "CUSTOMER"}


@dataclass(frozen=True, slots=True)
class Cast:
    """home: the tenant whose things are asked for. abroad: another, who has the same things of their own."""

    stage: Stage
    home: Tenant
    abroad: Tenant
    tokens: Mapping[Persona, str | None]

    def caller(self, persona: Persona, at: Client) -> Client:
        return at.holding(self.tokens[persona])

    async def with_home_of_its_own(self) -> Cast:
        home = await Tenant.opened(self.stage)
        return replace(self, home=home, tokens={**self.tokens, **_tokens_of(home)})

    async def double(self, persona: Persona) -> Person:
        """Somebody of the same kind, whose account nobody else needs."""
        return await register(self.stage, role=_ROLES.get(persona, "MERCHANT"))

    def with_double(self, persona: Persona, double: Person) -> Cast:
        return replace(self, tokens={**self.tokens, persona: double.token})


async def gather(stage: Stage) -> Cast:
    home, abroad, admin, customer = await asyncio.gather(
        Tenant.opened(stage), Tenant.opened(stage), register(stage, role="ADMIN"), register(stage, role="CUSTOMER")
    )
    foreigners = {
        Persona.FOREIGN_OWNER: abroad.people[Persona.OWNER].token,
        Persona.FOREIGN_EMPLOYEE: abroad.people[Persona.EMPLOYEE].token,
        Persona.CUSTOMER: customer.token,
    }
    tokens = {**await _useless(home), **_tokens_of(home), **foreigners, Persona.ADMIN: admin.token}
    return Cast(stage, home, abroad, tokens)


def _tokens_of(home: Tenant) -> dict[Persona, str | None]:
    return {persona: person.token for persona, person in home.people.items()}


async def _useless(home: Tenant) -> dict[Persona, str | None]:
    """Tokens that are no good any more, or never were."""
    owner = home.people[Persona.OWNER]
    ended = str((await owner.log_in())["accessToken"])
    assert (await owner.client.holding(ended).post("/auth/logout")).status == 204
    dismissed = await home.employ(home.merchant.branch_id)
    await home.dismiss(dismissed)
    return {
        Persona.NOBODY: None,
        Persona.MALFORMED: "not.a.token",
        Persona.EXPIRED: Forger(home.stage, owner.token).expired(),
        Persona.ENDED: ended,
        Persona.STALE: dismissed.token,
    }
