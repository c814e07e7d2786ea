"""Where the providers post, and what administrators see of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query, Request
from psp.provider import WebhookRequest
from starlette.responses import Response

from webhooks.context import WebhooksContext
from webhooks.inbound import service
from webhooks.inbound.schemas import Acknowledged, WebhookEventDetail, WebhookEventSummary

Ctx = Annotated[WebhooksContext, context_of(WebhooksContext)]

receiving = APIRouter(tags=["webhooks"])
router = APIRouter(prefix="/api/v1/webhook-events", tags=["webhook-events"])


@receiving.post("/webhooks/{provider}", include_in_schema=False)
@receiving.post("/api/v1/webhooks/{provider}")
async def receive(provider: str, request: Request, ctx: Ctx) -> Acknowledged:
    """Notifications of a payment provider, signed over the raw bytes. 200 once stored; a duplicate is 200 and does
    nothing."""
    received = WebhookRequest(await request.body(), request.headers, request.query_params.multi_items())
    return await service.receive(ctx, provider, received)


@receiving.post("/webhooks/{provider}/{account_key}", include_in_schema=False)
@receiving.post("/api/v1/webhooks/{provider}/{account_key}", include_in_schema=False)
async def receive_for_account(provider: str, account_key: str, request: Request, ctx: Ctx) -> Acknowledged:
    """Notifications about a business's own account at the provider, whose owner was shown this address. 503 while
    nobody can verify them: then the provider repeats."""
    received = WebhookRequest(await request.body(), request.headers, request.query_params.multi_items())
    return await service.receive_for_account(ctx, provider, account_key, received)


@router.get("")
async def list_events(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    provider: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$")] = None,
    event_type: Annotated[str | None, Query(alias="eventType", pattern=r"^[a-zA-Z_.]{1,100}$")] = None,
    transaction_id: Annotated[UUID | None, Query(alias="transactionId")] = None,
) -> Page[WebhookEventSummary]:
    return await service.listing(
        ctx, caller, paging, provider=provider, event_type=event_type, transaction_id=transaction_id
    )


@router.get("/{event_id}")
async def get_event(event_id: UUID, caller: Caller, ctx: Ctx) -> Data[WebhookEventDetail]:
    return Data(data=await service.show(ctx, caller, event_id))


@router.post("/{event_id}/replay", response_model=Data[WebhookEventSummary], status_code=202)
async def replay_event(event_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    answer = await ctx.idempotency.run(key, lambda unit: service.replay(ctx, caller, unit, event_id), status=202)
    return answer_response(answer)
