"""Use cases of devices."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.auth import Principal
from chassis.crypto import BlindIndex
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.tenancy import everyone
from kernel import NotFound, new_id

from notifications.context import NotificationsContext
from notifications.devices import repository
from notifications.devices.models import PushDevice, token_place
from notifications.devices.schemas import PushDeviceIn


def index_of(blind_index: BlindIndex, token: str) -> bytes:
    return blind_index.of(token, column="push_devices.token")


async def take_over(ctx: NotificationsContext, caller: Principal, token: str) -> None:
    """Before the transaction of `register`, and harmless without it: the device is in the caller's hands."""
    index = index_of(ctx.blind_index, token)

    async def work(unit: UnitOfWork) -> None:
        await repository.take_from_others(unit.session, caller.user_id, index)

    # Whose else the token is, the caller must not see; that they hold it is the right to take it.
    with everyone():
        await ctx.database.run(work)


async def register(ctx: NotificationsContext, caller: Principal, unit: UnitOfWork, body: PushDeviceIn) -> PushDevice:
    now, device_id = ctx.clock.now(), new_id()
    device = await repository.put(
        unit.session,
        {
            "id": device_id,
            "user_id": caller.user_id,
            "token": ctx.cipher.encrypt(body.token, context=token_place(device_id)),
            "token_index": index_of(ctx.blind_index, body.token),
            "platform": body.platform.value,
            "created_at": now,
            "seen_at": now,
        },
    )
    await repository.keep_newest(unit.session, caller.user_id)
    return device


async def list_devices(ctx: NotificationsContext, caller: Principal, params: PageParams) -> Slice:
    async with ctx.database.read() as session:
        return await repository.list_page(session, caller.user_id, params)


async def remove(ctx: NotificationsContext, caller: Principal, device_id: UUID) -> None:
    """Raises NotFound, the same for an absent one and for another user's."""

    async def work(unit: UnitOfWork) -> bool:
        return await repository.remove(unit.session, caller.user_id, device_id)

    if not await ctx.database.run(work):
        raise NotFound("Device not found", code="push_device_not_found")


async def tokens_of(ctx: NotificationsContext, user_id: UUID) -> Sequence[str]:
    """In the scope of that user."""
    async with ctx.database.read() as session:
        devices = await repository.of_user(session, user_id)
    return [ctx.cipher.decrypt(device.token, context=device.token_place) for device in devices]
