"""The ticket (TA) with which a business speaks to a service: one for twelve hours, and one request for it at a time.

WSAA refuses a second ticket while one is good, so ours is shared by all processes through `fiscal.tickets`. It belongs
to one certificate of one business: two businesses with the same CUIT need a certificate each, which ARCA gives out.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from kernel import Clock

from fiscal.ar.settings import ArgentinaSettings
from fiscal.errors import AuthorityUnavailable
from fiscal.profile import IssuerProfile
from fiscal.tickets import Ticket, TicketStore

# Longer than a call may take, so that a claim outlives the request it is for.
_CLAIM_SECONDS: Final = 90.0
_UNDER_WAY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Pass:
    token: str = field(repr=False)
    sign: str = field(repr=False)
    expires_at: datetime


# Ask WSAA for a new one.
Login = Callable[[IssuerProfile], Awaitable[Pass]]


class Tickets:
    """login raises AuthorityUnavailable, BadProfile; and so does `of`."""

    def __init__(self, store: TicketStore, clock: Clock, settings: ArgentinaSettings, login: Login) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._login = login
        self._known: dict[tuple[UUID, str], Pass] = {}
        self._turns: defaultdict[tuple[UUID, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, issuer: IssuerProfile) -> Pass:
        key = issuer.business_id, self._name(issuer)
        known = self._known.get(key)
        if known is not None and self._is_good(known):
            return known
        async with self._turns[key]:
            found = await self._shared(key)
            if found is None:
                found = await self._new(key, issuer)
            self._known = {at: kept for at, kept in self._known.items() if self._is_good(kept)} | {key: found}
        self._turns.pop(key, None)
        return found

    async def drop(self, issuer: IssuerProfile, refused: Pass) -> None:
        """The service does not take it any more; another that has come meanwhile stays."""
        key = issuer.business_id, self._name(issuer)
        if self._known.get(key) == refused:
            del self._known[key]
        stored = await self._store.find(*key)
        if stored is not None and _opened(stored) == refused:
            await self._store.keep(*key, None)

    async def _new(self, key: tuple[UUID, str], issuer: IssuerProfile) -> Pass:
        if not await self._store.claim(*key, _CLAIM_SECONDS):
            raise AuthorityUnavailable("ticket_under_way", retry_after=_UNDER_WAY_SECONDS)
        try:
            found = await self._login(issuer)
        except BaseException:
            await self._store.keep(*key, None)
            raise
        await self._store.keep(*key, _sealed(found))
        return found

    async def _shared(self, key: tuple[UUID, str]) -> Pass | None:
        known = self._known.get(key)
        if known is not None and self._is_good(known):
            return known
        stored = await self._store.find(*key)
        found = _opened(stored) if stored is not None else None
        return found if found is not None and self._is_good(found) else None

    def _is_good(self, ticket: Pass) -> bool:
        return ticket.expires_at > self._clock.now() + timedelta(seconds=self._settings.ticket_margin_seconds)

    def _name(self, issuer: IssuerProfile) -> str:
        certificate = sha256(issuer.secrets["certificate"]).hexdigest()[:32]
        return f"ar:{issuer.environment.value}:{self._settings.service}:{certificate}"


def _sealed(found: Pass) -> Ticket:
    return Ticket(json.dumps({"token": found.token, "sign": found.sign}).encode(), found.expires_at)


def _opened(ticket: Ticket) -> Pass:
    content = json.loads(ticket.content)
    return Pass(content["token"], content["sign"], ticket.expires_at)
