"""REST: /notification-preferences."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query

from notifications.context import NotificationsContext
from notifications.preferences import service
from notifications.preferences.schemas import PreferencesIn, PreferencesOut, preferences_out

router = APIRouter(prefix="/api/v1/notification-preferences", tags=["notification-preferences"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]


@router.get("")
async def get_preferences(
    caller: Caller, ctx: Ctx, business_id: Annotated[UUID, Query(alias="businessId")]
) -> Data[PreferencesOut]:
    """Language and channels of a business; Spanish by every channel until it says otherwise."""
    return Data(data=preferences_out(business_id, await service.get(ctx, caller, business_id)))


@router.put("")
async def put_preferences(body: PreferencesIn, caller: Caller, ctx: Ctx) -> Data[PreferencesOut]:
    """Replaces them, for messages written from now on."""
    await service.replace(ctx, caller, body.business_id, body.wanted())
    return Data(data=preferences_out(body.business_id, body.wanted()))
