"""Branches over REST."""

from __future__ import annotations

from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.branches import service
from auth.branches.schemas import BranchChange, BranchRequest, BranchResponse
from auth.context import Ctx

router = APIRouter(prefix="/api/v1/businesses/{business_id}/branches", tags=["branches"], dependencies=[NoteOrigin])


@router.get("")
async def list_branches(ctx: Ctx, caller: Caller, business_id: UUID, paging: Paging) -> Page[BranchResponse]:
    """Branches of a business, newest first; an employee sees those they are assigned to."""
    return await service.list_page(ctx, caller, business_id, paging)


@router.post("", status_code=201, response_model=Data[BranchResponse])
async def create_branch(
    ctx: Ctx, caller: Caller, business_id: UUID, body: BranchRequest, key: IdempotencyKey
) -> Response:
    """Open a branch."""
    return answer_response(await service.create(ctx, caller, key, business_id, body))


@router.get("/{branch_id}")
async def get_branch(ctx: Ctx, caller: Caller, business_id: UUID, branch_id: UUID) -> Data[BranchResponse]:
    """One branch."""
    return Data(data=await service.get(ctx, caller, business_id, branch_id))


@router.put("/{branch_id}")
async def replace_branch(
    ctx: Ctx, caller: Caller, business_id: UUID, branch_id: UUID, body: BranchRequest
) -> Data[BranchResponse]:
    """Replace a branch's data."""
    return Data(data=await service.replace(ctx, caller, business_id, branch_id, body))


@router.patch("/{branch_id}")
async def change_branch(
    ctx: Ctx, caller: Caller, business_id: UUID, branch_id: UUID, body: BranchChange
) -> Data[BranchResponse]:
    """Change the named fields."""
    return Data(data=await service.change(ctx, caller, business_id, branch_id, body))


@router.delete("/{branch_id}", status_code=204)
async def delete_branch(ctx: Ctx, caller: Caller, business_id: UUID, branch_id: UUID) -> None:
    """Close a branch."""
    await service.delete(ctx, caller, business_id, branch_id)
