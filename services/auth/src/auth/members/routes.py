"""Members over REST, as the owner of the business sees them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query, Response

from auth.audit.origin import NoteOrigin
from auth.context import Ctx
from auth.members import service
from auth.members.schemas import MemberChange, MemberRequest, MemberResponse
from auth.members.status import MemberStatus

router = APIRouter(prefix="/api/v1/businesses/{business_id}/members", tags=["members"], dependencies=[NoteOrigin])


@router.get("")
async def list_members(
    ctx: Ctx,
    caller: Caller,
    business_id: UUID,
    paging: Paging,
    status: MemberStatus | None = None,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
) -> Page[MemberResponse]:
    """Who belongs to a business or is invited to it, newest first."""
    return await service.list_page(ctx, caller, business_id, paging, status=status, branch_id=branch_id)


@router.post("", status_code=201, response_model=Data[MemberResponse])
async def invite_member(
    ctx: Ctx, caller: Caller, business_id: UUID, body: MemberRequest, key: IdempotencyKey
) -> Response:
    """Invite an employee by phone. They become a member when they accept, with an account whose phone is verified."""
    return answer_response(await service.invite(ctx, caller, key, business_id, body))


@router.get("/{member_id}")
async def get_member(ctx: Ctx, caller: Caller, business_id: UUID, member_id: UUID) -> Data[MemberResponse]:
    """One member."""
    return Data(data=await service.get(ctx, caller, business_id, member_id))


@router.patch("/{member_id}")
async def change_member(
    ctx: Ctx, caller: Caller, business_id: UUID, member_id: UUID, body: MemberChange
) -> Data[MemberResponse]:
    """Change an employee's branches, or what the business calls them. It takes effect at once."""
    return Data(data=await service.change(ctx, caller, business_id, member_id, body))


@router.delete("/{member_id}", status_code=204)
async def remove_member(ctx: Ctx, caller: Caller, business_id: UUID, member_id: UUID) -> None:
    """Remove an employee or take back an invitation, at once. An employee may leave by themselves."""
    await service.remove(ctx, caller, business_id, member_id)
