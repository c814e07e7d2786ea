"""The transport to Conekta: one method per endpoint, every failure as an error of the provider contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from chassis.outbound import OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import ValidationError

from psp.mexico.conekta import wire
from psp.mexico.conekta.mapping import NAME, failure
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import PaymentNotFound, ProviderError, ProviderNotConfigured
from psp.readings import Window
from psp.transport import Transport, connect

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class ConektaClient:
    """Read calls raise ProviderUnavailable when they fail; write calls OutcomeUnknown unless nothing was sent."""

    def __init__(self, http: OutboundClient) -> None:
        self._transport = Transport(NAME, http, _failure)

    @classmethod
    def open(cls, settings: ConektaSettings) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an API key."""
        if settings.api_key is None:
            raise ProviderNotConfigured(NAME, "api_key_missing")
        return cls(
            connect(
                NAME,
                settings,
                headers={
                    "Authorization": f"Bearer {settings.api_key.get_secret_value()}",
                    "Accept": "application/vnd.conekta-v2.3.0+json",
                    "Accept-Language": "es",
                },
            )
        )

    async def close(self) -> None:
        await self._transport.close()

    async def create_order(self, body: Mapping[str, Any]) -> wire.Order:
        return await self._transport.write("orders.create", "/orders", wire.Order, json=body)

    async def cancel_order(self, order_id: str) -> wire.Order:
        return await self._transport.write("orders.cancel", f"/orders/{_checked(order_id)}/cancel", wire.Order)

    async def refund_order(self, order_id: str, body: Mapping[str, Any]) -> wire.Order:
        return await self._transport.write(
            "orders.refund", f"/orders/{_checked(order_id)}/refunds", wire.Order, json=body
        )

    async def get_order(self, order_id: str) -> wire.Order:
        return await self._transport.read("orders.get", f"/orders/{_checked(order_id)}", wire.Order)

    async def search_orders(self, text: str) -> wire.Page[wire.Order]:
        return await self._transport.read(
            "orders.search", "/orders", wire.Page[wire.Order], params={"search": text, "limit": "20"}
        )

    async def list_orders(self, window: Window, after: str | None = None) -> wire.Page[wire.Order]:
        """Those created in the window, newest first, from the one after `after` (an id) on."""
        params = {"created_at.gte": str(window.first), "created_at.lte": str(window.last), "limit": "100"}
        if after is not None:
            params["next"] = after
        return await self._transport.read("orders.list", "/orders", wire.Page[wire.Order], params=params)


def _checked(order_id: str) -> str:
    # It becomes part of a path, and may have come from outside.
    if _ID.fullmatch(order_id) is None:
        raise PaymentNotFound(NAME, "malformed_id")
    return order_id


def _failure(answer: OutboundResponse, *, write: bool) -> ProviderError:
    return failure(answer.status, _error(answer), write=write, retry_after=answer.retry_after)


def _error(answer: OutboundResponse) -> wire.Error | None:
    try:
        return wire.Error.model_validate(answer.json())
    except (InvalidJson, ValidationError):
        return None
