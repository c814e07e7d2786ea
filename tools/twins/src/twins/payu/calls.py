"""Calls in PayU's form: JSON both ways, the credentials in the body, one address for many commands."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from twins.faults import FaultPlan
from twins.pages import text
from twins.payu import errors
from twins.payu.settings import PayuTwinSettings
from twins.provider.book import Json, Refusal
from twins.provider.calls import Calls
from twins.store import Store

_MAX_BODY = 1_048_576
_MADE_UP_STATE = "IN_ORBIT"


class PayuCalls(Calls):
    def __init__(self, store: Store, faults: FaultPlan, settings: PayuTwinSettings) -> None:
        super().__init__(store, faults, "payu")
        self._settings = settings

    async def read(self, request: Request) -> Json:
        if "json" not in request.headers.get("Accept", ""):
            raise errors.NotJson("Accept: application/json")
        body = await request.body()
        if len(body) > _MAX_BODY:
            raise errors.invalid("request", "es demasiado grande")
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            raise errors.invalid("Content-Type", "debe ser application/json")
        try:
            command = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise errors.invalid("request", "no es JSON") from None
        if not isinstance(command, dict):
            raise errors.invalid("request", "no es válido")
        self._check_credentials(command.get("merchant"))
        return command

    def render(self, answer: Any, status: int) -> Response:
        return _json(answer, status)

    def refuse(self, refusal: Refusal) -> Response:
        status = refusal.given_status if isinstance(refusal, errors.ApiError) else refusal.status
        if isinstance(refusal, errors.NotJson):
            xml = f"<paymentResponse><code>ERROR</code><error>{text(refusal.message)}</error></paymentResponse>"
            return Response(xml, self._settings.error_status, media_type="application/xml")
        return _json(refusal.body(), status or self._settings.error_status)

    def failure(self) -> Response:
        return self.refuse(errors.system_failure())

    def too_many(self, retry_after: int) -> Response:
        return _json(errors.too_many_requests().body(), 429, {"Retry-After": str(retry_after)})

    def with_unlisted_status(self, answer: Any) -> Any:
        def change(transaction: Json) -> None:
            transaction["transactionResponse"]["state"] = _MADE_UP_STATE

        for order in _orders(answer):
            order["status"] = _MADE_UP_STATE
        return _transactions(answer, change)

    def with_other_amount(self, answer: Any) -> Any:
        def change(transaction: Json) -> None:
            transaction["additionalValues"]["TX_VALUE"]["value"] += 1

        return _transactions(answer, change)

    def without_findings(self, answer: Any) -> Any:
        return answer | {"result": None} if _orders(answer) else answer

    def _check_credentials(self, merchant: Any) -> None:
        given = merchant if isinstance(merchant, dict) else {}
        expected = (("apiKey", self._settings.api_key), ("apiLogin", self._settings.api_login))
        for name, secret in expected:
            value = given.get(name)
            if not isinstance(value, str) or not hmac.compare_digest(
                value.encode(), secret.get_secret_value().encode()
            ):
                raise errors.credentials()


def _orders(answer: Json) -> list[Json]:
    payload = (answer.get("result") or {}).get("payload") or []
    entries = payload if isinstance(payload, list) else [payload]
    return [entry for entry in entries if "transactions" in entry]


def _transactions(answer: Json, change: Callable[[Json], None]) -> Json:
    for order in _orders(answer):
        for transaction in order["transactions"]:
            change(transaction)
    return answer


def _json(content: Json, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json", headers=headers)
