"""Inviting, changing and removing the people of a business; its owner does.

Nobody learns here whether a phone has an account: an invitation looks the same for every phone, and becomes a
membership when whoever has proved to hold the phone accepts it (auth.memberships).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from contracts.events.auth import MemberAdded, MemberRemoved, MemberUpdated
from kernel import new_id

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.branches import repository as branches
from auth.businesses import repository as businesses
from auth.businesses.errors import business_not_found
from auth.businesses.models import Business
from auth.context import AuthContext
from auth.members import errors, events, repository
from auth.members.models import Member
from auth.members.presentation import present
from auth.members.schemas import MemberChange, MemberRequest, MemberResponse
from auth.members.status import MemberStatus
from auth.sealing import assign, reveal, seal
from auth.sessions import staleness
from auth.users.models import User

_NAMES = ("first_name", "last_name")


async def invite(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, business_id: UUID, request: MemberRequest
) -> Answer:
    """Raises Conflict for a phone that the business has already, RuleViolation for a branch that it has not."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> Data[MemberResponse]:
        if await businesses.hold(unit.session, business_id) is None:
            raise business_not_found()
        await _require_branches(unit, business_id, request.branch_ids)
        member = await repository.add(unit.session, _invitation(ctx, unit, business_id, request))
        if member is None:
            raise errors.member_exists()
        _note(ctx, unit, caller, AuditAction.MEMBER_INVITED, member, after=request.model_dump(exclude_none=True))
        return Data(data=present(ctx, member))

    return await ctx.idempotency.run(scope, work)


async def list_page(
    ctx: AuthContext,
    caller: Principal,
    business_id: UUID,
    params: PageParams,
    *,
    status: MemberStatus | None,
    branch_id: UUID | None,
) -> Page[MemberResponse]:
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        if await businesses.find(session, business_id) is None:
            raise business_not_found()
        result = await repository.page(session, params, business_id, status=status, branch_id=branch_id)
    return as_page(result, lambda row: present(ctx, row.Member))


async def get(ctx: AuthContext, caller: Principal, business_id: UUID, member_id: UUID) -> MemberResponse:
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        member = await repository.find_member(session, business_id, member_id)
    if member is None:
        raise errors.member_not_found()
    return present(ctx, member)


async def change(
    ctx: AuthContext, caller: Principal, business_id: UUID, member_id: UUID, request: MemberChange
) -> MemberResponse:
    """With other branches, what the employee's tokens say has changed: they count no more."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    values = request.model_dump(exclude_unset=True)

    async def work(unit: UnitOfWork) -> Member:
        if await businesses.hold(unit.session, business_id) is None:
            raise business_not_found()
        if "branch_ids" in values:
            await _require_branches(unit, business_id, values["branch_ids"])
        member = await _lock(unit, business_id, member_id)
        if _change(ctx, unit, caller, member, values):
            await unit.session.flush()
            await staleness.outdate(unit, _user_ids([member]))
        return member

    member = await ctx.database.run(work)
    await staleness.announce(ctx, _user_ids([member]))
    return present(ctx, member)


async def remove(ctx: AuthContext, caller: Principal, business_id: UUID, member_id: UUID) -> None:
    """Remove an employee or take back an invitation; an employee may remove themselves."""
    standing = await ctx.access.require(caller, business_id, Permission.READ)

    async def work(unit: UnitOfWork) -> Member:
        member = await repository.lock(unit.session, business_id, member_id)
        if standing.role is not BusinessRole.OWNER and (member is None or member.user_id != caller.user_id):
            raise errors.not_your_membership()
        if member is None:
            raise errors.member_not_found()
        await end(ctx, unit, caller, member)
        return member

    member = await ctx.database.run(work)
    await staleness.announce(ctx, _user_ids([member]))


async def end(ctx: AuthContext, unit: UnitOfWork, actor: Principal | None, member: Member) -> None:
    """End a membership or invitation that the caller has locked, and the access that it gave. Then announce."""
    if member.role == BusinessRole.OWNER:
        raise errors.owner_is_fixed()
    member.version += 1
    member.updated_at = member.deleted_at = unit.clock.now()
    unit.publish(*events.of(MemberRemoved, member))
    before = {name: reveal(ctx.cipher, member, name) for name in (*_NAMES, "phone", "branch_ids")}
    _note(ctx, unit, actor, AuditAction.MEMBER_REMOVED, member, before=before)
    await unit.session.flush()
    await staleness.outdate(unit, _user_ids([member]))


async def join(ctx: AuthContext, unit: UnitOfWork, actor: Principal, member: Member, user: User) -> None:
    """Make an invitation that the caller has locked the membership of a user. Names that it lacks are the user's."""
    own_names = {name: reveal(ctx.cipher, user, name) for name in _NAMES if getattr(member, name) is None}
    assign(ctx.cipher, member, own_names)
    member.user_id = user.id
    member.version += 1
    member.updated_at = unit.clock.now()
    unit.publish(*events.of(MemberAdded, member))
    _note(ctx, unit, actor, AuditAction.MEMBER_ADDED, member, after={"user_id": user.id, "role": member.role})


def ownership(ctx: AuthContext, unit: UnitOfWork, business: Business, owner: User) -> Member:
    """The membership of whoever opens a business."""
    now = unit.clock.now()
    member = Member(
        id=new_id(),
        business_id=business.id,
        user_id=owner.id,
        role=BusinessRole.OWNER.value,
        branch_ids=[],
        phone_index=owner.phone_index,
        version=1,
        created_at=now,
        updated_at=now,
    )
    assign(ctx.cipher, member, {name: reveal(ctx.cipher, owner, name) for name in (*_NAMES, "phone")})
    unit.publish(*events.of(MemberAdded, member))
    return member


async def unassign(
    ctx: AuthContext, unit: UnitOfWork, actor: Principal, business_id: UUID, branch_id: UUID
) -> Collection[UUID]:
    """Take a branch that is being closed from everyone assigned to it. Returns the users to announce."""
    assigned = await repository.lock_assigned(unit.session, business_id, branch_id)
    for member in assigned:
        remaining = [other for other in member.branch_ids if other != branch_id]
        _change(ctx, unit, actor, member, {"branch_ids": remaining})
    user_ids = _user_ids(assigned)
    await unit.session.flush()
    await staleness.outdate(unit, user_ids)
    return user_ids


async def _lock(unit: UnitOfWork, business_id: UUID, member_id: UUID) -> Member:
    member = await repository.lock(unit.session, business_id, member_id)
    if member is None:
        raise errors.member_not_found()
    if member.role == BusinessRole.OWNER:
        raise errors.owner_is_fixed()
    return member


def _change(ctx: AuthContext, unit: UnitOfWork, actor: Principal, member: Member, values: dict[str, Any]) -> bool:
    """Write the values that differ. Returns whether what the member's tokens say has changed."""
    changes = assign(ctx.cipher, member, values)
    if not changes:
        return False
    member.version += 1
    member.updated_at = unit.clock.now()
    unit.publish(*events.of(MemberUpdated, member))
    _note(ctx, unit, actor, AuditAction.MEMBER_CHANGED, member, before=changes.before, after=changes.after)
    return "branch_ids" in changes


async def _require_branches(unit: UnitOfWork, business_id: UUID, branch_ids: Collection[UUID]) -> None:
    # Held, so that none of them is closed before it is assigned.
    if branch_ids and len(await branches.hold_all(unit.session, business_id, branch_ids)) < len(branch_ids):
        raise errors.unknown_branch()


def _invitation(ctx: AuthContext, unit: UnitOfWork, business_id: UUID, request: MemberRequest) -> dict[str, Any]:
    member_id, now = new_id(), unit.clock.now()
    given = request.model_dump(include=set(Member.SEALED), exclude_none=True)
    sealed = {name: seal(ctx.cipher, Member.__tablename__, name, member_id, value) for name, value in given.items()}
    return {
        "id": member_id,
        "business_id": business_id,
        "role": BusinessRole.EMPLOYEE.value,
        "branch_ids": request.branch_ids,
        "phone_index": ctx.phone_index(request.phone),
        "created_at": now,
        "updated_at": now,
        **sealed,
    }


def _user_ids(members: Collection[Member]) -> list[UUID]:
    return [member.user_id for member in members if member.user_id is not None]


def _note(
    ctx: AuthContext,
    unit: UnitOfWork,
    actor: Principal | None,
    action: AuditAction,
    member: Member,
    *,
    before: Any = None,
    after: Any = None,
) -> None:
    record(
        ctx.cipher,
        unit,
        action,
        actor=actor,
        subject_id=member.id,
        business_id=member.business_id,
        before=before,
        after=after,
    )
