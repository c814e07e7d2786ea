"""Events of users, businesses and branches."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from kernel import Country, Currency

from contracts.events.base import DomainEvent


class UserRegistered(DomainEvent):
    type: ClassVar[str] = "user.registered"
    aggregate_type: ClassVar[str] = "user"

    role: str


class _BusinessChange(DomainEvent):
    aggregate_type: ClassVar[str] = "business"

    business_id: UUID
    owner_id: UUID
    country: Country
    currency: Currency
    time_zone: str
    is_active: bool


class BusinessCreated(_BusinessChange):
    type: ClassVar[str] = "business.created"


class BusinessUpdated(_BusinessChange):
    type: ClassVar[str] = "business.updated"


class BusinessDeleted(_BusinessChange):
    type: ClassVar[str] = "business.deleted"


class _BranchChange(DomainEvent):
    aggregate_type: ClassVar[str] = "branch"

    business_id: UUID
    name: str
    is_active: bool


class BranchCreated(_BranchChange):
    type: ClassVar[str] = "branch.created"


class BranchUpdated(_BranchChange):
    type: ClassVar[str] = "branch.updated"


class BranchDeleted(_BranchChange):
    type: ClassVar[str] = "branch.deleted"
