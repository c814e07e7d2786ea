"""Calls in Khipu's form: the key in x-api-key, JSON both ways."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from twins.faults import FaultPlan
from twins.khipu import errors, shapes
from twins.khipu.settings import KhipuTwinSettings
from twins.provider.book import Json, Refusal
from twins.provider.calls import Calls
from twins.store import Store

_MAX_BODY = 1_048_576
_MADE_UP_STATUS = "in_orbit"


class KhipuCalls(Calls):
    def __init__(self, store: Store, faults: FaultPlan, settings: KhipuTwinSettings) -> None:
        super().__init__(store, faults, "khipu")
        self._settings = settings

    async def read(self, request: Request) -> Any:
        account = self._settings.account_of(request.headers.get("x-api-key", ""))
        if account is None:
            raise errors.unauthorized()
        request.state.receiver_id = account.receiver_id
        if request.method != "POST":
            return None
        body = await request.body()
        if len(body) > _MAX_BODY:
            raise errors.invalid("body", "es demasiado grande")
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            raise errors.invalid("Content-Type", "debe ser application/json")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise errors.invalid("body", "no es JSON") from None

    def render(self, answer: Any, status: int) -> Response:
        return _json(answer, status)

    def refuse(self, refusal: Refusal) -> Response:
        return _json(refusal.body(), refusal.status)

    def failure(self) -> Response:
        return self.refuse(errors.system_failure())

    def too_many(self, retry_after: int) -> Response:
        return _json(errors.too_many_requests().body(), 429, {"Retry-After": str(retry_after)})

    def with_unlisted_status(self, answer: Any) -> Any:
        return _payment(answer, lambda payment: payment.update(status=_MADE_UP_STATUS))

    def with_other_amount(self, answer: Any) -> Any:
        return _payment(answer, lambda payment: payment.update(amount=_more(payment["amount"])))

    def without_findings(self, answer: Any) -> Any:
        return {"banks": []} if "banks" in answer else answer


def _payment(answer: Json, change: Callable[[Json], None]) -> Json:
    if "status" in answer:
        change(answer)
    return answer


def _more(amount: int | float | str) -> int | float | str:
    return shapes.decimals(Decimal(amount) + 100) if isinstance(amount, str) else amount + 100


def _json(content: Json, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json", headers=headers)
