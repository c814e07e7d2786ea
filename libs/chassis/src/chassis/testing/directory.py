"""A directory in memory, for the tests of services that ask auth's."""

from __future__ import annotations

from uuid import UUID

from contracts.auth.v1 import directory_pb2
from contracts.events import DomainEvent
from kernel import Country, NotFound, Unavailable, new_id

from chassis.auth.principal import Membership
from chassis.bus.received import Received
from chassis.directory import Branch, Business, Directory


class FakeDirectory(Directory):
    """Holds what a test opens. An unknown business or branch is NotFound, as with auth.

    Of a user whom no test has made a member of anything it cannot say: then the token serves.
    """

    def __init__(self) -> None:
        self.businesses: dict[UUID, Business] = {}
        self.branches: dict[UUID, Branch] = {}
        self.members: dict[UUID, dict[UUID, Membership]] = {}

    def open_business(self, *, country: Country = Country.MX, owner_id: UUID | None = None) -> Business:
        business = Business(
            id=new_id(),
            name="Abarrotes Lupita",
            owner_id=owner_id or new_id(),
            country=country,
            currency=country.currency,
            time_zone=country.time_zone,
            is_active=True,
        )
        self.businesses[business.id] = business
        return business

    def open_branch(self, business_id: UUID) -> Branch:
        branch = Branch(id=new_id(), business_id=business_id, name="Centro", is_active=True)
        self.branches[branch.id] = branch
        return branch

    def join(self, user_id: UUID, *memberships: Membership) -> None:
        """All that auth knows of this user, whatever the token says."""
        known = self.members.setdefault(user_id, {})
        known.update((membership.business_id, membership) for membership in memberships)

    async def business(self, business_id: UUID) -> Business:
        try:
            return self.businesses[business_id]
        except KeyError:
            raise NotFound("Business not found", code="business_not_found") from None

    async def profile(self, business_id: UUID) -> directory_pb2.Business:
        found = await self.business(business_id)
        return directory_pb2.Business(
            id=str(found.id),
            name=found.name,
            legal_name="Abarrotes Lupita SA de CV",
            tax_id="EKU9003173C9",
            country=found.country.value,
            currency=found.currency.value,
            time_zone=found.time_zone,
            phone="+525512345678",
            email="duena@example.com",
            is_active=found.is_active,
            owner_id=str(found.owner_id),
            address="Av. Juárez 10",
            city="Ciudad de México",
            state="CDMX",
            postal_code="06000",
        )

    async def branch(self, business_id: UUID, branch_id: UUID | None = None) -> Branch:
        of_business = [branch for branch in self.branches.values() if branch.business_id == business_id]
        matching = [branch for branch in of_business if branch_id in (None, branch.id)]
        if not matching:
            raise NotFound("Branch not found", code="branch_not_found")
        return matching[0]

    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None:
        return self.members.get(user_id, {}).get(business_id)

    async def memberships(self, user_id: UUID) -> list[Membership]:
        if user_id not in self.members:
            raise Unavailable("The auth service is not available", code="auth_unavailable")
        return list(self.members[user_id].values())

    async def forget(self, received: Received[DomainEvent]) -> None:
        return None
