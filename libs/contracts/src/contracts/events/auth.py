"""Events of users, businesses, branches and members."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from kernel import Country, Currency

from contracts.events.base import DomainEvent


class UserRegistered(DomainEvent):
    type: ClassVar[str] = "user.registered"
    aggregate_type: ClassVar[str] = "user"

    role: str


class UserUpdated(DomainEvent):
    """`changed` names the fields, never their values; role and kyc_level are as they are now."""

    type: ClassVar[str] = "user.updated"
    aggregate_type: ClassVar[str] = "user"

    role: str
    kyc_level: int
    changed: tuple[str, ...]


class UserDeleted(DomainEvent):
    type: ClassVar[str] = "user.deleted"
    aggregate_type: ClassVar[str] = "user"


class UserPasswordChanged(DomainEvent):
    """`reset`: with a code, by someone who had forgotten it."""

    type: ClassVar[str] = "user.password_changed"
    aggregate_type: ClassVar[str] = "user"

    reason: Literal["change", "reset"]
    changed_at: datetime


class UserCodeRequested(DomainEvent):
    """A one-time code waits to be sent. The code itself is asked for with Codes.GetCode, and is in no message."""

    type: ClassVar[str] = "user.code_requested"
    aggregate_type: ClassVar[str] = "code"

    user_id: UUID
    channel: Literal["sms", "email"]
    purpose: Literal["verification", "password_reset"]
    expires_at: datetime


class UserKycReviewed(DomainEvent):
    """`level` is the one that was applied for, 1 or 2."""

    type: ClassVar[str] = "user.kyc_reviewed"
    aggregate_type: ClassVar[str] = "kyc_submission"

    user_id: UUID
    level: int
    approved: bool


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


class _MemberChange(DomainEvent):
    """branch_ids are an employee's; an owner has all and lists none."""

    aggregate_type: ClassVar[str] = "member"

    business_id: UUID
    user_id: UUID
    role: str
    branch_ids: tuple[UUID, ...]


class MemberAdded(_MemberChange):
    type: ClassVar[str] = "member.added"


class MemberUpdated(_MemberChange):
    type: ClassVar[str] = "member.updated"


class MemberRemoved(_MemberChange):
    type: ClassVar[str] = "member.removed"
