"""Businesses over REST."""

from __future__ import annotations

from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.businesses import service
from auth.businesses.schemas import BusinessChange, BusinessRequest, BusinessResponse
from auth.context import Ctx

router = APIRouter(prefix="/api/v1/businesses", tags=["businesses"], dependencies=[NoteOrigin])


@router.get("")
async def list_businesses(ctx: Ctx, caller: Caller, paging: Paging) -> Page[BusinessResponse]:
    """The caller's businesses, newest first."""
    return await service.list_page(ctx, caller, paging)


@router.post("", status_code=201, response_model=Data[BusinessResponse])
async def create_business(ctx: Ctx, caller: Caller, body: BusinessRequest, key: IdempotencyKey) -> Response:
    """Open a business. The caller owns it."""
    return answer_response(await service.create(ctx, caller, key, body))


@router.get("/{business_id}")
async def get_business(ctx: Ctx, caller: Caller, business_id: UUID) -> Data[BusinessResponse]:
    """One business."""
    return Data(data=await service.get(ctx, caller, business_id))


@router.put("/{business_id}")
async def replace_business(
    ctx: Ctx, caller: Caller, business_id: UUID, body: BusinessRequest
) -> Data[BusinessResponse]:
    """Replace everything but the country."""
    return Data(data=await service.replace(ctx, caller, business_id, body))


@router.patch("/{business_id}")
async def change_business(ctx: Ctx, caller: Caller, business_id: UUID, body: BusinessChange) -> Data[BusinessResponse]:
    """Change the named fields."""
    return Data(data=await service.change(ctx, caller, business_id, body))


@router.delete("/{business_id}", status_code=204)
async def delete_business(ctx: Ctx, caller: Caller, business_id: UUID) -> None:
    """Close a business and its branches."""
    await service.delete(ctx, caller, business_id)
