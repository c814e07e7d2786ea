"""Whose figures a caller gets to see."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.auth import BusinessRole, Permission, Principal
from chassis.directory import Business
from kernel import NotFound

from analytics.context import AnalyticsContext
from analytics.facts.repository import has_sales_at


@dataclass(frozen=True, slots=True)
class Scope:
    """branches: only these, in order; None for the whole business. branch_id: the one branch that was asked for."""

    business: Business
    branch_id: UUID | None
    branches: tuple[UUID, ...] | None


async def scope_of(ctx: AnalyticsContext, caller: Principal, business_id: UUID, branch_id: UUID | None) -> Scope:
    """An employee who names no branch gets theirs summed.

    Raises NotFound (no business or branch of theirs), Forbidden (not their branch), Unavailable (auth is down).
    """
    membership = await ctx.access.require(caller, business_id, Permission.READ, branch_id=branch_id)
    business = await ctx.directory.business(business_id)
    if branch_id is not None:
        await _require_branch(ctx, business_id, branch_id)
        return Scope(business, branch_id, (branch_id,))
    if membership.role is BusinessRole.OWNER:
        return Scope(business, None, None)
    return Scope(business, None, tuple(sorted(membership.branch_ids)))


async def _require_branch(ctx: AnalyticsContext, business_id: UUID, branch_id: UUID) -> None:
    try:
        await ctx.directory.branch(business_id, branch_id)
    except NotFound:
        # A branch that was closed keeps its history.
        if not await has_sales_at(ctx.database, business_id, branch_id):
            raise
