"""REST: /api/v1/fiscal-profiles."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter

from billing.context import BillingContext
from billing.profiles import service
from billing.profiles.schemas import ProfileOut, ProfilePut

router = APIRouter(prefix="/api/v1/fiscal-profiles", tags=["fiscal-profiles"])

Ctx = Annotated[BillingContext, context_of(BillingContext)]


@router.get("/{business_id}")
async def get_fiscal_profile(business_id: UUID, caller: Caller, ctx: Ctx) -> Data[ProfileOut]:
    """The owner's. Certificates are shown by subject, fingerprint and expiry; keys by name alone."""
    return Data(data=await service.get(ctx, caller, business_id))


@router.put("/{business_id}")
async def put_fiscal_profile(business_id: UUID, caller: Caller, ctx: Ctx, body: ProfilePut) -> Data[ProfileOut]:
    """400 `fiscal_profile_invalid` names every field that the country refuses: a tax id, a certificate that is not the
    key's or has expired, a range. 422 `fiscal_country_not_supported`."""
    return Data(data=await service.put(ctx, caller, business_id, body))
