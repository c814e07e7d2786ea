"""Opening, changing and closing branches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from contracts.events.auth import BranchCreated, BranchDeleted, BranchUpdated
from kernel import new_id

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.branches import errors, events, repository
from auth.branches.models import Branch
from auth.branches.schemas import BranchChange, BranchRequest, BranchResponse
from auth.businesses import repository as businesses
from auth.businesses.errors import business_not_found
from auth.context import AuthContext
from auth.members import service as members
from auth.sealing import assign, reveal
from auth.sessions import staleness


async def create(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, business_id: UUID, request: BranchRequest
) -> Answer:
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> Data[BranchResponse]:
        # Held, so that no branch is opened in a business that is being closed.
        if await businesses.hold(unit.session, business_id) is None:
            raise business_not_found()
        now = unit.clock.now()
        branch = Branch(id=new_id(), business_id=business_id, version=1, created_at=now, updated_at=now)
        created = assign(ctx.cipher, branch, request.model_dump())
        unit.session.add(branch)
        unit.publish(events.of(BranchCreated, branch))
        _note(ctx, unit, caller, AuditAction.BRANCH_CREATED, branch, after=created.after)
        return Data(data=present(ctx, branch))

    return await ctx.idempotency.run(scope, work)


async def list_page(ctx: AuthContext, caller: Principal, business_id: UUID, params: PageParams) -> Page[BranchResponse]:
    """All branches of the business; for an employee, those they are assigned to."""
    membership = await ctx.access.require(caller, business_id, Permission.READ)
    among = None if membership.role is BusinessRole.OWNER else membership.branch_ids
    async with ctx.database.read() as session:
        if await businesses.find(session, business_id) is None:
            raise business_not_found()
        result = await repository.page(session, params, business_id, among=among)
    return as_page(result, lambda row: present(ctx, row.Branch))


async def get(ctx: AuthContext, caller: Principal, business_id: UUID, branch_id: UUID) -> BranchResponse:
    membership = await ctx.access.require(caller, business_id, Permission.READ)
    async with ctx.database.read() as session:
        branch = await repository.find(session, business_id, branch_id)
    if branch is None:
        raise errors.branch_not_found()
    if not membership.covers(branch_id):
        raise errors.branch_forbidden()
    return present(ctx, branch)


async def replace(
    ctx: AuthContext, caller: Principal, business_id: UUID, branch_id: UUID, request: BranchRequest
) -> BranchResponse:
    return await _update(ctx, caller, business_id, branch_id, request.model_dump())


async def change(
    ctx: AuthContext, caller: Principal, business_id: UUID, branch_id: UUID, request: BranchChange
) -> BranchResponse:
    return await _update(ctx, caller, business_id, branch_id, request.model_dump(exclude_unset=True))


async def delete(ctx: AuthContext, caller: Principal, business_id: UUID, branch_id: UUID) -> None:
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> Collection[UUID]:
        branch = await repository.lock(unit.session, business_id, branch_id)
        if branch is None:
            raise errors.branch_not_found()
        _close(ctx, unit, caller, branch)
        await unit.session.flush()
        return await members.unassign(ctx, unit, caller, business_id, branch_id)

    await staleness.announce(ctx, await ctx.database.run(work))


async def delete_all(ctx: AuthContext, unit: UnitOfWork, actor: Principal, business_id: UUID) -> None:
    """Close every branch of a business that is being closed and is locked by the caller."""
    for branch in await repository.lock_all(unit.session, business_id):
        _close(ctx, unit, actor, branch)


def present(ctx: AuthContext, branch: Branch) -> BranchResponse:
    fields = {name: reveal(ctx.cipher, branch, name) for name in BranchResponse.model_fields}
    return BranchResponse.model_validate(fields)


async def _update(
    ctx: AuthContext, caller: Principal, business_id: UUID, branch_id: UUID, values: dict[str, Any]
) -> BranchResponse:
    """Write the values that differ. Where none does, nothing happened, and nobody is told."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> BranchResponse:
        branch = await repository.lock(unit.session, business_id, branch_id)
        if branch is None:
            raise errors.branch_not_found()
        if changes := assign(ctx.cipher, branch, values):
            branch.version += 1
            branch.updated_at = unit.clock.now()
            unit.publish(events.of(BranchUpdated, branch))
            _note(ctx, unit, caller, AuditAction.BRANCH_CHANGED, branch, before=changes.before, after=changes.after)
        return present(ctx, branch)

    return await ctx.database.run(work)


def _close(ctx: AuthContext, unit: UnitOfWork, actor: Principal, branch: Branch) -> None:
    branch.version += 1
    branch.updated_at = branch.deleted_at = unit.clock.now()
    unit.publish(events.of(BranchDeleted, branch))
    _note(ctx, unit, actor, AuditAction.BRANCH_DELETED, branch, before={"name": branch.name})


def _note(
    ctx: AuthContext,
    unit: UnitOfWork,
    actor: Principal,
    action: AuditAction,
    branch: Branch,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(
        ctx.cipher,
        unit,
        action,
        actor=actor,
        subject_id=branch.id,
        business_id=branch.business_id,
        before=before,
        after=after,
    )
