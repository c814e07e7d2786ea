"""Devices in JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from pydantic import Field

from notifications.devices.models import PushDevice


class Platform(StrEnum):
    ANDROID = "ANDROID"
    IOS = "IOS"
    WEB = "WEB"


class PushDeviceIn(RequestModel):
    """token: FCM's registration token of the app on this device."""

    token: Annotated[str, Field(min_length=20, max_length=4096, pattern=r"^[A-Za-z0-9_:.%-]+$")]
    platform: Platform


class PushDeviceOut(ResponseModel):
    """Without its token: whoever may see the device may not address it."""

    id: UUID
    platform: Platform
    created_at: UtcDatetime
    seen_at: UtcDatetime


def device_out(device: PushDevice) -> PushDeviceOut:
    return PushDeviceOut(
        id=device.id, platform=Platform(device.platform), created_at=device.created_at, seen_at=device.seen_at
    )
