"""What every call to the Conekta twin goes through: credentials, media type, faults, journal, error form."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from twins.conekta import errors, shapes
from twins.conekta.errors import ApiError
from twins.conekta.ledger import reference_keys
from twins.conekta.shapes import Json
from twins.faults import CALL_FAULTS, Fault, FaultKind, FaultPlan, hold
from twins.store import Store

CALL = "conekta.call"
MEDIA_TYPE = "application/vnd.conekta-v2.3.0+json"

_MAX_BODY = 1_048_576
_HOLD_SECONDS = 60.0
_MADE_UP_STATUS = "in_orbit"

# Given the path parameters and the parsed body, the answer: a resource.
Handler = Callable[[Request, Any], Json]
# Given the same, what a fault or a journal line may call the order by.
References = Callable[[Request, Any], Collection[str]]


class Calls:
    def __init__(self, store: Store, faults: FaultPlan, api_key: str) -> None:
        self._store = store
        self._faults = faults
        self._api_key = api_key

    def endpoint(
        self, operation: str, handler: Handler, references: References
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            names: Collection[str] = ()
            fault: Fault | None = None
            body: Any = None
            try:
                self._admit(request)
                body = await _read(request)
                names = references(request, body)
                fault = self._faults.take(CALL_FAULTS, operation, names)
                response = await self._perform(request, body, handler, fault)
            except ApiError as error:
                response = _json(error.body(), error.status)
            self._note(operation, request, names, response, fault)
            return response

        return answer

    async def _perform(self, request: Request, body: Any, handler: Handler, fault: Fault | None) -> Response:
        kind = fault.kind if fault else None
        seconds = fault.seconds if fault and fault.seconds is not None else None
        match kind:
            case FaultKind.TIMEOUT_BEFORE:
                return await hold(request, seconds or _HOLD_SECONDS)
            case FaultKind.HTTP_500:
                raise errors.system_failure()
            case FaultKind.HTTP_429:
                return _json(errors.too_many_requests().body(), 429, {"Retry-After": str(round(seconds or 1))})
            case FaultKind.SLOW:
                await hold(request, 1.0 if seconds is None else seconds)
        resource = handler(request, body)
        match kind:
            case FaultKind.TIMEOUT_AFTER_CHARGING:
                return await hold(request, seconds or _HOLD_SECONDS)
            case FaultKind.HTTP_500_AFTER_CHARGING:
                raise errors.system_failure()
            case FaultKind.GARBAGE_JSON:
                return Response(orjson.dumps(resource)[:-2], media_type=MEDIA_TYPE)
            case FaultKind.UNLISTED_STATUS:
                _each_order(resource, lambda order: order.update(payment_status=_MADE_UP_STATUS))
            case FaultKind.BLIND_SEARCH if resource.get("object") == "list":
                resource = shapes.listing([])
            case FaultKind.WRONG_AMOUNT_READ:
                _each_order(resource, lambda order: order.update(amount=order["amount"] + 100))
        return _json(resource)

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

    def _note(
        self, operation: str, request: Request, names: Collection[str], response: Response, fault: Fault | None
    ) -> None:
        call: Json = {
            "id": uuid.uuid4().hex,
            "at": time.time(),
            "operation": operation,
            "method": request.method,
            "path": request.url.path,
            "references": sorted(names),
            "status": response.status_code,
            "fault": fault.kind if fault else None,
        }
        self._store.put(CALL, call["id"], call, keys=names)


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


def _each_order(resource: Json, change: Callable[[Json], None]) -> None:
    for entry in resource["data"] if resource.get("object") == "list" else [resource]:
        if entry.get("object") == "order":
            change(entry)


def _json(content: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Conekta-Media-Type": "conekta-v2.3.0; format=application/json", **(headers or {})},
    )
