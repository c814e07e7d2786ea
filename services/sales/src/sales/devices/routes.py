"""REST: /api/v1/sales/sync/devices."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Page
from fastapi import APIRouter, Query

from sales.context import SalesContext
from sales.devices import repository
from sales.devices.schemas import DeviceOut, present

router = APIRouter(prefix="/api/v1/sales/sync/devices", tags=["sales"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.get("", response_model=Page[DeviceOut])
async def find_devices(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
) -> Page[DeviceOut]:
    """Tills that sent sales, newest first, and which of their numbered sales are missing. An employee sees those of
    their branches."""
    visible = await ctx.access.visible_memberships(caller, business_id, branch_id=branch_id)
    async with ctx.database.read() as session:
        found = await repository.page(session, visible, paging, branch_id)
    return as_page(found, lambda row: present(row.Device))
