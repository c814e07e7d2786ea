"""Calls in Conekta's form: credentials, media type, error form."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from twins.conekta import errors, shapes
from twins.conekta.ledger import reference_keys
from twins.faults import FaultPlan
from twins.provider.book import Json, Refusal
from twins.provider.calls import Calls
from twins.store import Store

MEDIA_TYPE = "application/vnd.conekta-v2.3.0+json"

_MAX_BODY = 1_048_576
_MADE_UP_STATUS = "in_orbit"


class ConektaCalls(Calls):
    def __init__(self, store: Store, faults: FaultPlan, api_key: str) -> None:
        super().__init__(store, faults, "conekta")
        self._api_key = api_key

    async def read(self, request: Request) -> Any:
        self._admit(request)
        return await _read(request)

    def render(self, answer: Any, status: int) -> Response:
        return _json(answer, status)

    def refuse(self, refusal: Refusal) -> Response:
        return _json(refusal.body(), refusal.status)

    def failure(self) -> Response:
        return self.refuse(errors.system_failure())

    def too_many(self, retry_after: int) -> Response:
        return _json(errors.too_many_requests().body(), 429, {"Retry-After": str(retry_after)})

    def with_unlisted_status(self, answer: Any) -> Any:
        return _each_order(answer, lambda order: order.update(payment_status=_MADE_UP_STATUS))

    def with_other_amount(self, answer: Any) -> Any:
        return _each_order(answer, lambda order: order.update(amount=order["amount"] + 100))

    def without_findings(self, answer: Any) -> Any:
        return shapes.listing([]) if answer.get("object") == "list" else answer

    def _admit(self, request: Request) -> None:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                credentials = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
            except (binascii.Error, ValueError):
                raise errors.missing_key() from None
        elif scheme.lower() != "bearer":
            raise errors.missing_key()
        if not hmac.compare_digest(credentials.encode(), self._api_key.encode()):
            raise errors.missing_key()
        if MEDIA_TYPE not in request.headers.get("Accept", ""):
            raise errors.not_acceptable()


def order_references(body: Any) -> set[str]:
    """Of an order that is about to be created: whatever its body calls it."""
    if not isinstance(body, dict):
        return set()
    metadata = body.get("metadata")
    names = {str(value) for value in metadata.values()} if isinstance(metadata, dict) else set()
    charges = body.get("charges")
    for charge in charges if isinstance(charges, list) else ():
        if isinstance(charge, dict) and isinstance(charge.get("reference_id"), str):
            names.add(charge["reference_id"])
    return names


def known_references(order: Json | None) -> set[str]:
    return reference_keys(order) if order else set()


async def _read(request: Request) -> Any:
    if request.method == "GET":
        return None
    body = await request.body()
    if not body:
        return None
    if len(body) > _MAX_BODY:
        raise errors.invalid("body", "too_large", "El cuerpo es demasiado grande.")
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise errors.invalid("Content-Type", "invalid", "El cuerpo debe ser application/json.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise errors.invalid("body", "malformed", "El cuerpo no es JSON.") from None


def _each_order(answer: Json, change: Callable[[Json], None]) -> Json:
    for entry in answer["data"] if answer.get("object") == "list" else [answer]:
        if entry.get("object") == "order":
            change(entry)
    return answer


def _json(content: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Conekta-Media-Type": "conekta-v2.3.0; format=application/json", **(headers or {})},
    )
