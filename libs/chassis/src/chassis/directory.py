"""Businesses, branches and memberships as other services see them: auth's Directory behind a cache."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.events import DomainEvent
from kernel import Country, Currency, NotFound, Unavailable

from chassis.auth.principal import BusinessRole, Membership
from chassis.bus.received import Received
from chassis.cache import Cache
from chassis.rpc.client import call

_TTL = 3600
# In front of Redis, in this process: a busy till asks for the same business with every request.
_MEMORY_SECONDS = 5.0
_MEMORY_SIZE = 10_000
_TIMEOUT = 3
# A list can be shown without: the token names almost all of them.
_LIST_TIMEOUT = 1


@dataclass(frozen=True, slots=True)
class Business:
    """Everything but a person's data, which callers ask for when they need it (`contact`)."""

    id: UUID
    name: str
    owner_id: UUID
    country: Country
    currency: Currency
    time_zone: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Branch:
    id: UUID
    business_id: UUID
    name: str
    is_active: bool


class Directory:
    """Look-ups are cached for an hour in Redis, and dropped when auth publishes a change."""

    def __init__(self, stub: directory_pb2_grpc.DirectoryStub, cache: Cache) -> None:
        self._stub = stub
        self._cache = cache
        self._businesses: dict[UUID, tuple[float, Business]] = {}
        self._memberships: dict[UUID, tuple[float, list[Membership] | None]] = {}

    async def business(self, business_id: UUID) -> Business:
        """Raises NotFound, or Unavailable when auth cannot be asked."""
        now = time.monotonic()
        remembered = self._businesses.get(business_id)
        if remembered is not None and remembered[0] > now:
            return remembered[1]
        if len(self._businesses) >= _MEMORY_SIZE:
            self._businesses.clear()
        business = await self._shared_business(business_id)
        self._businesses[business_id] = (now + _MEMORY_SECONDS, business)
        return business

    async def _shared_business(self, business_id: UUID) -> Business:
        async def load() -> dict[str, Any]:
            answer = await self.profile(business_id)
            return asdict(
                Business(
                    id=UUID(answer.id),
                    name=answer.name,
                    owner_id=UUID(answer.owner_id),
                    country=Country(answer.country),
                    currency=Currency(answer.currency),
                    time_zone=answer.time_zone,
                    is_active=answer.is_active,
                )
            )

        found = await self._cache.remember(_business_key(business_id), load, ttl=_TTL)
        return Business(
            id=UUID(str(found["id"])),
            name=found["name"],
            owner_id=UUID(str(found["owner_id"])),
            country=Country(found["country"]),
            currency=Currency(found["currency"]),
            time_zone=found["time_zone"],
            is_active=found["is_active"],
        )

    async def profile(self, business_id: UUID) -> directory_pb2.Business:
        """The whole business with its contacts, uncached: personal data does not go to Redis."""
        request = directory_pb2.GetBusinessRequest(business_id=str(business_id))
        return await call("auth", self._stub.GetBusiness(request, timeout=_TIMEOUT))

    async def branch(self, business_id: UUID, branch_id: UUID | None = None) -> Branch:
        """A branch of the business; its first one when none is named. Raises NotFound."""

        async def load() -> dict[str, Any]:
            request = directory_pb2.GetBranchRequest(
                business_id=str(business_id), branch_id=str(branch_id) if branch_id else ""
            )
            answer = await call("auth", self._stub.GetBranch(request, timeout=_TIMEOUT))
            return asdict(Branch(UUID(answer.id), UUID(answer.business_id), answer.name, answer.is_active))

        # "The first" may change with any branch, so only a named one is cached.
        key = _branch_key(business_id, branch_id)
        found = await self._cache.remember(key, load, ttl=_TTL) if branch_id else await load()
        return Branch(UUID(str(found["id"])), UUID(str(found["business_id"])), found["name"], found["is_active"])

    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None:
        """Asked only for a business that the caller's token does not name; never cached, so access ends at once."""
        request = directory_pb2.GetMembershipRequest(user_id=str(user_id), business_id=str(business_id))
        try:
            answer = await call("auth", self._stub.GetMembership(request, timeout=_TIMEOUT))
        except NotFound:
            return None
        # It may be newer than what is remembered of this user.
        self._memberships.pop(user_id, None)
        return _membership(answer)

    async def memberships(self, user_id: UUID) -> list[Membership]:
        """All of a user's, remembered for a moment, until one more is found. Raises Unavailable, remembered as well."""
        now = time.monotonic()
        until, known = self._memberships.get(user_id, (0.0, []))
        if until <= now:
            known = await self._all_memberships(user_id)
            if len(self._memberships) >= _MEMORY_SIZE:
                self._memberships.clear()
            self._memberships[user_id] = (now + _MEMORY_SECONDS, known)
        if known is None:
            raise _auth_unavailable()
        return known

    async def _all_memberships(self, user_id: UUID) -> list[Membership] | None:
        request = directory_pb2.ListMembershipsRequest(user_id=str(user_id))
        try:
            answer = await call("auth", self._stub.ListMemberships(request, timeout=_LIST_TIMEOUT))
        except Unavailable:
            return None
        return [_membership(item) for item in answer.memberships]

    async def forget(self, received: Received[DomainEvent]) -> None:
        """Drop what a business.* or branch.* event has changed. Raises Unavailable: the event waits for Redis."""
        event = received.event
        if event.business_id is None:
            return
        self._businesses.pop(event.business_id, None)
        keys = _business_key(event.business_id), _branch_key(event.business_id, event.aggregate_id)
        if not await self._cache.drop(*keys):
            raise Unavailable("The cache cannot be told of a change", code="cache_unavailable")


def _membership(answer: directory_pb2.Membership) -> Membership:
    branches = frozenset(map(UUID, answer.branch_ids))
    return Membership(UUID(answer.business_id), BusinessRole(answer.role), branches)


def _auth_unavailable() -> Unavailable:
    return Unavailable("The auth service is not available", code="auth_unavailable", retry_after=2)


def _business_key(business_id: UUID) -> str:
    return f"directory:business:{business_id}"


def _branch_key(business_id: UUID, branch_id: UUID | None) -> str:
    return f"directory:branch:{business_id}:{branch_id}"
