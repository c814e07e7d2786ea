"""Users over REST, for administrators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.auth import Role
from chassis.http.app import Caller
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query

from auth.administration import service
from auth.administration.schemas import RoleChange
from auth.audit.origin import NoteOrigin
from auth.context import Ctx
from auth.users.schemas import KycLevel, ProfileChange, UserResponse

router = APIRouter(prefix="/api/v1/users", tags=["users"], dependencies=[NoteOrigin])

Search = Annotated[str | None, Query(min_length=1, max_length=254, description="A whole phone or e-mail address")]


@router.get("")
async def list_users(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    q: Search = None,
    role: Role | None = None,
    kyc_level: Annotated[KycLevel | None, Query(alias="kycLevel")] = None,
) -> Page[UserResponse]:
    """Users, newest first. Administrators only, as everything here."""
    return await service.list_page(ctx, caller, paging, q=q, role=role, kyc_level=kyc_level)


@router.get("/{user_id}")
async def get_user(ctx: Ctx, caller: Caller, user_id: UUID) -> Data[UserResponse]:
    """One user."""
    return Data(data=await service.get(ctx, caller, user_id))


@router.patch("/{user_id}")
async def change_user(ctx: Ctx, caller: Caller, user_id: UUID, body: ProfileChange) -> Data[UserResponse]:
    """Change a user's profile."""
    return Data(data=await service.change(ctx, caller, user_id, body))


@router.delete("/{user_id}", status_code=204)
async def delete_user(ctx: Ctx, caller: Caller, user_id: UUID) -> None:
    """End an account and all access it gave, at once. Its phone may register anew."""
    await service.delete(ctx, caller, user_id)


@router.put("/{user_id}/role")
async def set_user_role(ctx: Ctx, caller: Caller, user_id: UUID, body: RoleChange) -> Data[UserResponse]:
    """Give a user another role. Their present access tokens count no more."""
    return Data(data=await service.set_role(ctx, caller, user_id, body.role))
