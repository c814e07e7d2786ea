"""Calls in Mercado Pago's form: bearer token, JSON, error form, idempotency keys."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Collection
from hashlib import sha256
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from twins.faults import FaultPlan
from twins.mercadopago import errors, shapes
from twins.mercadopago.ledger import ORDER, reference_keys
from twins.provider.book import Json, Refusal
from twins.provider.calls import Calls, Handler
from twins.store import Store

KEY = "mercadopago.key"

_MAX_BODY = 1_048_576
_MADE_UP_STATUS = "in_orbit"


class MercadoPagoCalls(Calls):
    def __init__(self, store: Store, faults: FaultPlan, access_token: str, *, replay_keys: bool) -> None:
        super().__init__(store, faults, "mercadopago")
        self._access_token = access_token
        self._replay_keys = replay_keys

    async def read(self, request: Request) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._access_token.encode()):
            raise errors.unauthorized()
        if request.method == "GET":
            return None
        body = await request.body()
        if len(body) > _MAX_BODY:
            raise errors.json_syntax()
        if not body:
            return None
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise errors.json_syntax() from None

    def once(self, handler: Handler) -> Handler:
        """With an idempotency key, which a write must have: the second time changes nothing."""

        def answer(request: Request, body: Any) -> Any:
            key = request.headers.get("X-Idempotency-Key", "").strip()
            if not key:
                raise errors.header_missing()
            print_ = sha256(orjson.dumps([request.method, request.url.path, body])).hexdigest()
            held = self._store.get(KEY, key)
            if held is not None:
                if not self._replay_keys or held["fingerprint"] != print_:
                    raise errors.key_used()
                return held["answer"]
            with self._store.transaction():
                made = handler(request, body)
                self._store.put(KEY, key, {"fingerprint": print_, "answer": made})
            return made

        return answer

    def of_order(self, request: Request, body: Any) -> Collection[str]:
        order = self._store.get(ORDER, request.path_params["id"])
        return reference_keys(order) if order else ()

    def render(self, answer: Any, status: int) -> Response:
        return _json(answer, status)

    def refuse(self, refusal: Refusal) -> Response:
        return _json(refusal.body(), refusal.status)

    def failure(self) -> Response:
        return self.refuse(errors.internal())

    def too_many(self, retry_after: int) -> Response:
        return _json(errors.too_many().body(), 429, {"Retry-After": str(retry_after)})

    def with_unlisted_status(self, answer: Any) -> Any:
        return _each_order(answer, lambda order: order.update(status=_MADE_UP_STATUS))

    def with_other_amount(self, answer: Any) -> Any:
        return _each_order(answer, _dearer)

    def without_findings(self, answer: Any) -> Any:
        return answer | {"data": []} if "data" in answer else answer


def _each_order(answer: Json, change: Callable[[Json], None]) -> Json:
    for order in answer.get("data", [answer]):
        change(order)
    return answer


def _dearer(order: Json) -> None:
    payments = order.get("transactions", {}).get("payments", [])
    for place, name in [(order, "total_amount"), *((payment, "amount") for payment in payments)]:
        if name in place:
            place[name] = shapes.money(shapes.cents(place[name]) + 100)


def _json(content: Json, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        media_type="application/json",
        headers={"x-request-id": str(uuid.uuid4()), **(headers or {})},
    )
