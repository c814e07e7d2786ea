"""REST: /notification-preferences."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query

from notifications.context import NotificationsContext
from notifications.preferences import service
from notifications.preferences.schemas import (
    PersonalPreferencesIn,
    PersonalPreferencesOut,
    PreferencesIn,
    PreferencesOut,
    personal_out,
    preferences_out,
)

router = APIRouter(prefix="/api/v1/notification-preferences", tags=["notification-preferences"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]


@router.get("")
async def get_preferences(
    caller: Caller, ctx: Ctx, business_id: Annotated[UUID, Query(alias="businessId")]
) -> Data[PreferencesOut]:
    """Language, channels, quiet hours and look of a business's messages; Spanish by every channel, at any hour and in
    Cobro's colours until it says otherwise."""
    return Data(data=preferences_out(business_id, await service.get(ctx, caller, business_id)))


@router.put("")
async def put_preferences(body: PreferencesIn, caller: Caller, ctx: Ctx) -> Data[PreferencesOut]:
    """Replaces them, for messages written from now on."""
    await service.replace(ctx, caller, body.business_id, body.wanted())
    return Data(data=preferences_out(body.business_id, body.wanted()))


@router.get("/me")
async def get_own_preferences(caller: Caller, ctx: Ctx) -> Data[PersonalPreferencesOut]:
    """What the caller does not want to be told, by which channel, and when."""
    return Data(data=personal_out(await service.of_user(ctx.database, caller.user_id)))


@router.put("/me")
async def put_own_preferences(body: PersonalPreferencesIn, caller: Caller, ctx: Ctx) -> Data[PersonalPreferencesOut]:
    """Replaces them, for messages written from now on. One-time codes and what concerns the safety of the account
    always come, at any hour."""
    await service.replace_own(ctx, caller, body.wanted())
    return Data(data=personal_out(body.wanted()))
