"""REST: /notifications."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Page
from fastapi import APIRouter, Query

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.messages import service
from notifications.messages.schemas import NotificationOut, notification_out
from notifications.messages.status import NotificationStatus

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
) -> Page[NotificationOut]:
    """What was sent in the name of the caller's businesses, newest first, recipients masked. For owners."""
    found = await service.list_notifications(
        ctx, caller, paging, business_id=business_id, channel=channel, status=status
    )
    return as_page(found, lambda row: notification_out(row.Notification, ctx.cipher))
