"""Faults on command: which ones, for whom, how often. One plan per twin."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    # The call, before it does anything.
    TIMEOUT_BEFORE = "timeout_before"
    HTTP_500 = "http_500"
    HTTP_429 = "http_429"
    SLOW = "slow"
    # The call, after it took effect.
    TIMEOUT_AFTER_CHARGING = "timeout_after_charging"
    HTTP_500_AFTER_CHARGING = "http_500_after_charging"
    GARBAGE_JSON = "garbage_json"
    UNLISTED_STATUS = "unlisted_status"
    WRONG_AMOUNT_READ = "wrong_amount_read"
    BLIND_SEARCH = "blind_search"
    # The webhook.
    DUPLICATE = "duplicate"
    LATE = "late"
    DROP = "drop"
    OUT_OF_ORDER = "out_of_order"
    WRONG_AMOUNT = "wrong_amount"
    FORGED = "forged"
    ALTERED = "altered"
    # What the provider decides later.
    REFUND_DECLINED = "refund_declined"
    # A tax authority: it refuses what is good, or does not answer at all.
    REJECT = "reject"
    DOWN = "down"


WEBHOOK_FAULTS = frozenset(
    {
        FaultKind.DUPLICATE,
        FaultKind.LATE,
        FaultKind.DROP,
        FaultKind.OUT_OF_ORDER,
        FaultKind.WRONG_AMOUNT,
        FaultKind.FORGED,
        FaultKind.ALTERED,
    }
)
LATER_FAULTS = frozenset({FaultKind.REFUND_DECLINED})
AUTHORITY_ONLY_FAULTS = frozenset({FaultKind.REJECT, FaultKind.DOWN})
CALL_FAULTS = frozenset(FaultKind) - WEBHOOK_FAULTS - LATER_FAULTS - AUTHORITY_ONLY_FAULTS
AUTHORITY_FAULTS = AUTHORITY_ONLY_FAULTS | {
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER_CHARGING,
    FaultKind.HTTP_500,
    FaultKind.SLOW,
}


class Fault(BaseModel):
    """times: how often it strikes before it is spent, None for always. probability: of striking, drawn from `seed`.

    operation: of a call (`orders.create`) or the type of an event (`order.paid`), None for any.
    reference: only for this order, by our reference or by its id. seconds: of a delay. count: of duplicates.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    times: Annotated[int, Field(ge=1)] | None = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0
    operation: str | None = None
    reference: str | None = None
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    count: Annotated[int, Field(ge=1, le=100)] = 1


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.id = uuid4().hex
        self.fault = fault
        self.left = fault.times
        # Seeded on purpose: the same scenario strikes the same calls again.
        self.random = random.Random(fault.seed)  # noqa: S311


class FaultPlan:
    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault) -> str:
        armed = _Armed(fault)
        self._armed.append(armed)
        return armed.id

    def list(self) -> list[dict[str, object]]:
        return [{"id": a.id, "left": a.left, **a.fault.model_dump(mode="json")} for a in self._armed]

    def clear(self) -> None:
        self._armed.clear()

    def take(self, kinds: Collection[FaultKind], operation: str, references: Collection[str] = ()) -> Fault | None:
        """The first armed fault that strikes here, used up by one."""
        for armed in self._armed:
            fault = armed.fault
            if fault.kind not in kinds or fault.operation not in (None, operation):
                continue
            if fault.reference is not None and fault.reference not in references:
                continue
            if fault.probability < 1 and armed.random.random() >= fault.probability:
                continue
            if armed.left is not None:
                armed.left -= 1
                if armed.left == 0:
                    self._armed.remove(armed)
            return fault
        return None


async def hold(request: Request, seconds: float) -> Response:
    """Say nothing until the caller hangs up, or for so long that it will have."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    return Response(status_code=504)
