"""The one place that decides access. A business the caller does not belong to does not exist for them (404); an action
their role does not have is forbidden (403).

The token names the caller's businesses as they were when it was issued, and so does the scope of the request
(chassis.tenancy). For one that it does not name auth is asked, and what auth confirms is added to the scope.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from kernel import Forbidden, NotFound, Unavailable

from chassis import tenancy
from chassis.auth.principal import BusinessRole, Membership, Principal

T = TypeVar("T")


class Permission(StrEnum):
    """READ and OPERATE (sell, take payments, run the drawer) are an employee's within their branches; MANAGE (prices,
    stock corrections, settings, members, refunds) is the owner's."""

    READ = "read"
    OPERATE = "operate"
    MANAGE = "manage"


class MembershipSource(Protocol):
    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None: ...

    async def memberships(self, user_id: UUID) -> Sequence[Membership]: ...


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
        tenancy.admit([business_id])
        if not _grants(membership, permission):
            raise Forbidden("Only the owner of the business may do this")
        if branch_id is not None and not membership.covers(branch_id):
            raise Forbidden("You are not assigned to this branch", code="branch_forbidden")
        return membership

    async def visible(
        self, caller: Principal, business_id: UUID | None, permission: Permission = Permission.READ
    ) -> Sequence[UUID] | None:
        """Businesses a list may show: the one asked for, else all in which the caller has `permission`; None stands for
        an admin's all."""
        memberships = await self.visible_memberships(caller, business_id, permission)
        return None if memberships is None else [membership.business_id for membership in memberships]

    async def visible_memberships(
        self,
        caller: Principal,
        business_id: UUID | None,
        permission: Permission = Permission.READ,
        *,
        branch_id: UUID | None = None,
    ) -> Sequence[Membership] | None:
        """`visible`, for lists that show an employee what is of their branches."""
        if business_id is not None:
            return [await self.require(caller, business_id, permission, branch_id=branch_id)]
        if caller.is_admin:
            return None
        memberships = await self._memberships(caller)
        tenancy.admit(membership.business_id for membership in memberships)
        return [membership for membership in memberships if _grants(membership, permission)]

    async def find(self, caller: Principal, work: Callable[[], Awaitable[T]]) -> T:
        """`work`, which looks something up by its id alone; where it raises NotFound, once more with the businesses
        that the caller has joined since the token was issued. So `work` must have done nothing when it raises. Raises
        Unavailable while auth cannot be asked: that there is no such thing would be a guess."""
        try:
            return await work()
        except NotFound:
            if caller.is_admin:
                raise
            memberships = await self._directory.memberships(caller.user_id)
            if not tenancy.admit(membership.business_id for membership in memberships):
                raise
        return await work()

    async def _memberships(self, caller: Principal) -> Sequence[Membership]:
        """What auth says; what the token says while auth cannot be asked."""
        try:
            return await self._directory.memberships(caller.user_id)
        except Unavailable:
            return list(caller.memberships.values())


def _grants(membership: Membership, permission: Permission) -> bool:
    return permission is not Permission.MANAGE or membership.role is BusinessRole.OWNER
