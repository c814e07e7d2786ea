"""REST: what an endpoint was sent, under /api/v1/webhook-endpoints/{id}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from webhooks.context import Ctx
from webhooks.deliveries import service
from webhooks.deliveries.schemas import DeliveryDetail, DeliveryOut, Recovered
from webhooks.deliveries.status import DeliveryStatus

router = APIRouter(prefix="/api/v1/webhook-endpoints/{endpoint_id}", tags=["webhook-endpoints"])


@router.post("/test", response_model=Data[DeliveryOut], status_code=202)
async def send_test(endpoint_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """Sends an event of type webhook_endpoint.test; what came of it shows in the deliveries."""
    return answer_response(await service.send_test(ctx, caller, key, endpoint_id))


@router.post("/recover", response_model=Data[Recovered], status_code=202)
async def recover(
    endpoint_id: UUID,
    caller: Caller,
    ctx: Ctx,
    key: IdempotencyKey,
    since: Annotated[datetime, Query(description="Of the last 30 days, with its zone")],
) -> Response:
    """Sends again what failed or was skipped since then, at most 10,000 at once."""
    return answer_response(await service.recover(ctx, caller, key, endpoint_id, since))


@router.get("/deliveries")
async def list_deliveries(
    endpoint_id: UUID,
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    event_type: Annotated[str | None, Query(alias="eventType", pattern=r"^[a-z_.]{1,100}$")] = None,
) -> Page[DeliveryOut]:
    """What was sent or is to be sent there, newest first."""
    return await service.list_deliveries(ctx, caller, endpoint_id, paging, status=status, event_type=event_type)


@router.get("/deliveries/{delivery_id}")
async def get_delivery(endpoint_id: UUID, delivery_id: UUID, caller: Caller, ctx: Ctx) -> Data[DeliveryDetail]:
    """With the body that was sent, and every try with its answer."""
    return Data(data=await service.get_delivery(ctx, caller, endpoint_id, delivery_id))


@router.post("/deliveries/{delivery_id}/retry", response_model=Data[DeliveryOut], status_code=202)
async def retry_delivery(
    endpoint_id: UUID, delivery_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey
) -> Response:
    """Tries now, and then by the schedule from its beginning; also what was delivered before."""
    return answer_response(await service.retry_delivery(ctx, caller, key, endpoint_id, delivery_id))
