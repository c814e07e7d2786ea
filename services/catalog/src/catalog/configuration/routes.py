"""REST: /api/v1/catalog-settings."""

from __future__ import annotations

from uuid import UUID

from chassis.http.app import Caller
from chassis.http.schemas import Data
from fastapi import APIRouter

from catalog.configuration import service
from catalog.configuration.schemas import SettingsOut, SettingsReplace
from catalog.context import Ctx

router = APIRouter(prefix="/api/v1/catalog-settings", tags=["catalog-settings"])


@router.get("/{business_id}")
async def get_settings(business_id: UUID, caller: Caller, ctx: Ctx) -> Data[SettingsOut]:
    return Data(data=await service.get_settings(ctx, caller, business_id))


@router.put("/{business_id}")
async def replace_settings(business_id: UUID, body: SettingsReplace, caller: Caller, ctx: Ctx) -> Data[SettingsOut]:
    """Stock that is below zero must be corrected before that may be forbidden again."""
    return Data(data=await service.replace_settings(ctx, caller, business_id, body))
