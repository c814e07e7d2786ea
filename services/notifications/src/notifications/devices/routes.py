"""REST: /push-devices."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter
from starlette.responses import Response

from notifications.context import NotificationsContext
from notifications.devices import service
from notifications.devices.schemas import PushDeviceIn, PushDeviceOut, device_out

router = APIRouter(prefix="/api/v1/push-devices", tags=["push-devices"])

Ctx = Annotated[NotificationsContext, context_of(NotificationsContext)]


@router.get("")
async def list_push_devices(caller: Caller, ctx: Ctx, paging: Paging) -> Page[PushDeviceOut]:
    """The caller's own, newest first."""
    found = await service.list_devices(ctx, caller, paging)
    return as_page(found, lambda row: device_out(row.PushDevice))


@router.post("", status_code=201, response_model=Data[PushDeviceOut])
async def register_push_device(body: PushDeviceIn, caller: Caller, ctx: Ctx, scope: IdempotencyKey) -> Response:
    """Where the caller is to be reached by push, from now on. A token registered again is the same device; one that
    another user had is theirs no more. Registered beyond twenty, the ones not seen for longest go."""
    await service.take_over(ctx, caller, body.token)

    async def work(unit: UnitOfWork) -> Data[PushDeviceOut]:
        return Data(data=device_out(await service.register(ctx, caller, unit, body)))

    return answer_response(await ctx.idempotency.run(scope, work))


@router.delete("/{device_id}", status_code=204)
async def remove_push_device(device_id: UUID, caller: Caller, ctx: Ctx) -> None:
    """For instance when the user logs out there."""
    await service.remove(ctx, caller, device_id)
