"""REST: /api/v1/webhook-endpoints."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from webhooks.context import Ctx
from webhooks.endpoints import service
from webhooks.endpoints.schemas import EndpointCreate, EndpointOut, EndpointPatch, EndpointWithSecret

router = APIRouter(prefix="/api/v1/webhook-endpoints", tags=["webhook-endpoints"])


@router.get("")
async def list_endpoints(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
) -> Page[EndpointOut]:
    """Endpoints of one business, or of all that the caller owns, newest first."""
    return await service.list_endpoints(ctx, caller, business_id, paging)


@router.post("", response_model=Data[EndpointWithSecret], status_code=201)
async def create_endpoint(body: EndpointCreate, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """A new endpoint, with its secret, which is never shown again."""
    return answer_response(await service.create_endpoint(ctx, caller, key, body))


@router.get("/{endpoint_id}")
async def get_endpoint(endpoint_id: UUID, caller: Caller, ctx: Ctx) -> Data[EndpointOut]:
    return Data(data=await service.get_endpoint(ctx, caller, endpoint_id))


@router.patch("/{endpoint_id}")
async def patch_endpoint(endpoint_id: UUID, body: EndpointPatch, caller: Caller, ctx: Ctx) -> Data[EndpointOut]:
    """Only the fields named. What was waiting when it is switched off is kept for POST …/recover."""
    return Data(data=await service.patch_endpoint(ctx, caller, endpoint_id, body))


@router.delete("/{endpoint_id}", status_code=204)
async def delete_endpoint(endpoint_id: UUID, caller: Caller, ctx: Ctx) -> None:
    await service.delete_endpoint(ctx, caller, endpoint_id)


@router.post("/{endpoint_id}/rotate-secret", response_model=Data[EndpointWithSecret])
async def rotate_secret(endpoint_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """A new secret, shown this once; until previousSecretUntil the one before signs as well."""
    return answer_response(await service.rotate_secret(ctx, caller, key, endpoint_id))
