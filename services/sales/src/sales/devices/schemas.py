"""Responses of /sales/sync/devices."""

from __future__ import annotations

from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime

from sales.devices.models import Device

_MOST_GAPS = 100


class GapOut(ResponseModel):
    """Numbers that have not come in, both ends included."""

    first: int
    last: int


class DeviceOut(ResponseModel):
    """A till. highestSequence: the highest number it is known to have given out. missing: how many sales up to there
    have not come in, and gaps says which, the lowest 100 ranges of them. sales: how many have. repeated: how many of
    those came under a number used before, as when a till begins to count anew."""

    device_id: str
    business_id: UUID
    branch_id: UUID
    cash_session_id: UUID | None
    highest_sequence: int
    missing: int
    gaps: list[GapOut]
    sales: int
    repeated: int
    first_seen_at: UtcDatetime
    last_seen_at: UtcDatetime


def present(device: Device) -> DeviceOut:
    # PostgreSQL hands out whole numbers as [first, last + 1).
    gaps = [(gap.lower or 0, (gap.upper or 0) - 1) for gap in device.missing]
    return DeviceOut(
        device_id=device.name,
        business_id=device.business_id,
        branch_id=device.branch_id,
        cash_session_id=device.cash_session_id,
        highest_sequence=device.highest,
        missing=sum(last - first + 1 for first, last in gaps),
        gaps=[GapOut(first=first, last=last) for first, last in gaps[:_MOST_GAPS]],
        sales=device.sales,
        repeated=device.repeated,
        first_seen_at=device.created_at,
        last_seen_at=device.updated_at,
    )
