"""REST: /notifications."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.delivery.lanes import queue_of
from notifications.delivery.progress import DeliveryStatus
from notifications.messages import service
from notifications.messages.repository import NotificationFilter
from notifications.messages.schemas import (
    NotificationDetail,
    NotificationOut,
    notification_detail,
    notification_out,
)
from notifications.messages.status import NotificationStatus
from notifications.messages.templates import Template

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]


@router.get("")
async def list_notifications(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    channel: Channel | None = None,
    status: NotificationStatus | None = None,
    template: Template | None = None,
    delivery_status: Annotated[DeliveryStatus | None, Query(alias="deliveryStatus")] = None,
    created_from: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    created_to: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[NotificationOut]:
    """What was sent in the name of the caller's businesses, newest first, recipients masked. For owners.

    status=FAILED are the dead letters. from: included, to: not, of when the message was written."""
    wanted = NotificationFilter(channel, status, template, delivery_status, created_from, created_to)
    found = await service.list_notifications(ctx, caller, paging, business_id=business_id, wanted=wanted)
    return as_page(found, lambda row: notification_out(row.Notification, ctx.cipher))


@router.get("/{notification_id}")
async def get_notification(notification_id: UUID, caller: Caller, ctx: Ctx) -> Data[NotificationDetail]:
    """A message with every try, its provider's answers and what was reported of its delivery. For owners."""
    found, steps = await service.notification_for(ctx, caller, notification_id)
    return Data(data=notification_detail(found, steps, ctx.cipher))


@router.post("/{notification_id}/redrive", status_code=202, response_model=Data[NotificationOut])
async def redrive_notification(notification_id: UUID, caller: Caller, ctx: Ctx, scope: IdempotencyKey) -> Response:
    """Send a message again that was given up. 409 `notification_not_failed` for any other."""
    found, _ = await service.notification_for(ctx, caller, notification_id)

    async def work(unit: UnitOfWork) -> Data[NotificationOut]:
        return Data(data=notification_out(await service.redrive(ctx, unit, notification_id, caller), ctx.cipher))

    answer = await ctx.idempotency.run(scope, work, status=202)
    ctx.senders[queue_of(found.lane)].wake()
    return answer_response(answer)
