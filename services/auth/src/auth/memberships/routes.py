"""The caller's own memberships over REST."""

from __future__ import annotations

from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.context import Ctx
from auth.memberships import service
from auth.memberships.schemas import MembershipResponse

router = APIRouter(prefix="/api/v1/auth/memberships", tags=["memberships"], dependencies=[NoteOrigin])


@router.get("")
async def list_memberships(ctx: Ctx, caller: Caller, paging: Paging) -> Page[MembershipResponse]:
    """What the caller belongs to and, once their phone is verified, is invited to; newest first."""
    return await service.list_page(ctx, caller, paging)


@router.post("/{membership_id}/accept", response_model=Data[MembershipResponse])
async def accept_membership(ctx: Ctx, caller: Caller, membership_id: UUID, key: IdempotencyKey) -> Response:
    """Accept an invitation. The present access token works for the business at once."""
    return answer_response(await service.accept(ctx, caller, key, membership_id))


@router.delete("/{membership_id}", status_code=204)
async def leave_membership(ctx: Ctx, caller: Caller, membership_id: UUID) -> None:
    """Leave a business one is employed by, or decline its invitation."""
    await service.leave(ctx, caller, membership_id)
