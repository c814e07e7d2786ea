"""The transport to Conekta: one method per endpoint, every failure as an error of the provider contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from chassis.outbound import CircuitOpen, NoAnswer, NotSent, OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import BaseModel, ValidationError

from psp.mexico.conekta import wire
from psp.mexico.conekta.mapping import NAME, Window, failure
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import OutcomeUnknown, PaymentNotFound, ProviderNotConfigured, ProviderUnavailable

WireT = TypeVar("WireT", bound=BaseModel)

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class ConektaClient:
    """Read calls raise ProviderUnavailable when they fail; write calls OutcomeUnknown unless nothing was sent."""

    def __init__(self, http: OutboundClient) -> None:
        self._http = http

    @classmethod
    def open(cls, settings: ConektaSettings) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an API key."""
        if settings.api_key is None:
            raise ProviderNotConfigured(NAME, "api_key_missing")
        return cls(
            OutboundClient(
                NAME,
                settings.api_url,
                headers={
                    "Authorization": f"Bearer {settings.api_key.get_secret_value()}",
                    "Accept": "application/vnd.conekta-v2.3.0+json",
                    "Accept-Language": "es",
                },
                timeout=settings.timeout_seconds,
                connect_timeout=settings.connect_timeout_seconds,
            )
        )

    async def close(self) -> None:
        await self._http.close()

    async def create_order(self, body: Mapping[str, Any]) -> wire.Order:
        return await self._write("orders.create", "/orders", body, wire.Order)

    async def cancel_order(self, order_id: str) -> wire.Order:
        return await self._write("orders.cancel", f"/orders/{_checked(order_id)}/cancel", None, wire.Order)

    async def refund_order(self, order_id: str, body: Mapping[str, Any]) -> wire.Order:
        return await self._write("orders.refund", f"/orders/{_checked(order_id)}/refunds", body, wire.Order)

    async def get_order(self, order_id: str) -> wire.Order:
        return await self._read("orders.get", f"/orders/{_checked(order_id)}", None, wire.Order)

    async def search_orders(self, text: str) -> wire.Page[wire.Order]:
        return await self._read("orders.search", "/orders", {"search": text, "limit": "20"}, wire.Page[wire.Order])

    async def list_orders(self, window: Window, after: str | None = None) -> wire.Page[wire.Order]:
        """Those created in the window, newest first, from the one after `after` (an id) on."""
        params = {"created_at.gte": str(window.first), "created_at.lte": str(window.last), "limit": "100"}
        if after is not None:
            params["next"] = after
        return await self._read("orders.list", "/orders", params, wire.Page[wire.Order])

    async def _read(self, operation: str, path: str, params: Mapping[str, str] | None, shape: type[WireT]) -> WireT:
        try:
            answer = await self._http.request("GET", path, operation=operation, params=params)
        except CircuitOpen as error:
            raise ProviderUnavailable(NAME, "circuit_open", retry_after=max(1, round(error.retry_after))) from None
        except (NotSent, NoAnswer) as error:
            raise ProviderUnavailable(NAME, "unreachable", str(error)) from None
        if answer.status != 200:
            raise failure(answer.status, _error(answer), write=False, retry_after=answer.retry_after)
        try:
            return shape.model_validate(answer.json())
        except (InvalidJson, ValidationError):
            raise ProviderUnavailable(NAME, "unreadable_answer", f"{operation}: unreadable answer") from None

    async def _write(self, operation: str, path: str, body: Mapping[str, Any] | None, shape: type[WireT]) -> WireT:
        try:
            answer = await self._http.request("POST", path, operation=operation, json=body)
        except CircuitOpen as error:
            raise ProviderUnavailable(NAME, "circuit_open", retry_after=max(1, round(error.retry_after))) from None
        except NotSent as error:
            raise ProviderUnavailable(NAME, "unreachable", str(error)) from None
        except NoAnswer as error:
            raise OutcomeUnknown(NAME, "no_answer", str(error)) from None
        if answer.status not in (200, 201):
            raise failure(answer.status, _error(answer), write=True, retry_after=answer.retry_after)
        try:
            return shape.model_validate(answer.json())
        except (InvalidJson, ValidationError):
            raise OutcomeUnknown(NAME, "unreadable_answer", f"{operation}: unreadable answer") from None


def _checked(order_id: str) -> str:
    # It becomes part of a path, and may have come from outside.
    if _ID.fullmatch(order_id) is None:
        raise PaymentNotFound(NAME, "malformed_id")
    return order_id


def _error(answer: OutboundResponse) -> wire.Error | None:
    try:
        return wire.Error.model_validate(answer.json())
    except (InvalidJson, ValidationError):
        return None
