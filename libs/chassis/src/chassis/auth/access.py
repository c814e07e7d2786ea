"""The one place that decides access. A business the caller does not belong to does not exist for them (404); an action
their role does not have is forbidden (403)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from kernel import Forbidden, NotFound

from chassis.auth.principal import BusinessRole, Membership, Principal


class Permission(StrEnum):
    """READ and OPERATE (sell, take payments, run the drawer) are an employee's within their branches; MANAGE (prices,
    stock corrections, settings, members, refunds) is the owner's."""

    READ = "read"
    OPERATE = "operate"
    MANAGE = "manage"


class MembershipSource(Protocol):
    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None: ...


class Access:
    def __init__(self, directory: MembershipSource) -> None:
        self._directory = directory

    async def require(
        self, caller: Principal, business_id: UUID, permission: Permission, *, branch_id: UUID | None = None
    ) -> Membership:
        """The caller's membership, or NotFound (no business of theirs) or Forbidden (not with their role or branch)."""
        if caller.is_admin:
            return Membership(business_id, BusinessRole.OWNER)
        membership = caller.memberships.get(business_id)
        if membership is None:
            # A business opened, or a member added, after the token was issued.
            membership = await self._directory.membership(caller.user_id, business_id)
        if membership is None:
            raise NotFound("Business not found", code="business_not_found")
        if permission is Permission.MANAGE and membership.role is not BusinessRole.OWNER:
            raise Forbidden("Only the owner of the business may do this")
        if branch_id is not None and not membership.covers(branch_id):
            raise Forbidden("You are not assigned to this branch", code="branch_forbidden")
        return membership

    async def visible(self, caller: Principal, business_id: UUID | None) -> Sequence[UUID] | None:
        """Businesses a list may show: the one asked for, else all of the caller's; None stands for an admin's all."""
        if business_id is not None:
            await self.require(caller, business_id, Permission.READ)
            return [business_id]
        return None if caller.is_admin else list(caller.memberships)
