"""Seeing, accepting and leaving what one belongs to.

Invitations are found by the user's verified phone across all businesses, which are not the user's yet: so these use
cases run outside any business, and name the user in every query.
"""

from __future__ import annotations

from uuid import UUID

from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from chassis.tenancy import everyone
from sqlalchemy.ext.asyncio import AsyncSession

from auth.context import AuthContext
from auth.members import service as members
from auth.members.models import Member
from auth.members.presentation import status_of
from auth.memberships import errors, repository
from auth.memberships.schemas import MembershipResponse
from auth.sessions import staleness
from auth.users import repository as users
from auth.users.errors import user_gone
from auth.users.models import User


async def list_page(ctx: AuthContext, caller: Principal, params: PageParams) -> Page[MembershipResponse]:
    with everyone():
        async with ctx.database.read() as session:
            result = await repository.page(session, params, await _user(session, caller))
    return as_page(result, lambda row: _present(row.Member, row.business_name))


async def accept(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, membership_id: UUID) -> Answer:
    """Become a member. Accepting again changes nothing."""

    async def work(unit: UnitOfWork) -> Data[MembershipResponse]:
        user, member, business_name = await _lock(unit, caller, membership_id)
        if member.user_id is None:
            await members.join(ctx, unit, caller, member, user)
        return Data(data=_present(member, business_name))

    with everyone():
        return await ctx.idempotency.run(scope, work, status=200)


async def leave(ctx: AuthContext, caller: Principal, membership_id: UUID) -> None:
    """Leave a business, or decline its invitation."""

    async def work(unit: UnitOfWork) -> None:
        _, member, _ = await _lock(unit, caller, membership_id)
        await members.end(ctx, unit, caller, member)

    with everyone():
        await ctx.database.run(work)
    await staleness.announce(ctx, [caller.user_id])


async def _lock(unit: UnitOfWork, caller: Principal, membership_id: UUID) -> tuple[User, Member, str]:
    found = await repository.lock(unit.session, await _user(unit.session, caller), membership_id)
    # Last, as everyone locks them; they may have been deleted meanwhile.
    user = await users.lock(unit.session, caller.user_id)
    if user is None:
        raise user_gone()
    if found is None:
        raise errors.membership_not_found()
    return user, *found


async def _user(session: AsyncSession, caller: Principal) -> User:
    user = await users.find(session, caller.user_id)
    if user is None:
        raise user_gone()
    return user


def _present(member: Member, business_name: str) -> MembershipResponse:
    return MembershipResponse(
        id=member.id,
        business_id=member.business_id,
        business_name=business_name,
        role=member.role,
        branch_ids=member.branch_ids,
        status=status_of(member),
        created_at=member.created_at,
        updated_at=member.updated_at,
    )
