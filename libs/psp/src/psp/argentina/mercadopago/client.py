"""The transport to Mercado Pago: one method per endpoint, every failure as an error of the provider contract.

Orders are searched with a span of creation, a month at most, which is compulsory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from chassis.outbound import OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import ValidationError

from psp.argentina.mercadopago import wire
from psp.argentina.mercadopago.mapping import NAME, failure
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.provider import PaymentNotFound, ProviderError, ProviderNotConfigured
from psp.readings import Window
from psp.transport import Transport, connect

_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_IDEMPOTENCY = "X-Idempotency-Key"
# Orders of a search that are asked for at once.
PAGE = 50


class MercadoPagoClient:
    """Read calls raise ProviderUnavailable when they fail; write calls OutcomeUnknown unless nothing was sent.

    key: of idempotency; without one Mercado Pago takes no write.
    """

    def __init__(self, http: OutboundClient) -> None:
        self._transport = Transport(NAME, http, _failure)

    @classmethod
    def open(cls, settings: MercadoPagoSettings) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an access token."""
        if settings.access_token is None:
            raise ProviderNotConfigured(NAME, "api_key_missing")
        return cls(
            connect(
                NAME,
                settings,
                headers={
                    "Authorization": f"Bearer {settings.access_token.get_secret_value()}",
                    "Accept": "application/json",
                },
            )
        )

    async def close(self) -> None:
        await self._transport.close()

    async def create_order(self, body: Mapping[str, Any], key: str) -> wire.Order:
        return await self._transport.write(
            "orders.create", "/v1/orders", wire.Order, json=body, headers={_IDEMPOTENCY: key}
        )

    async def cancel_order(self, order_id: str, key: str) -> wire.ChangedOrder:
        return await self._transport.write(
            "orders.cancel", f"/v1/orders/{_checked(order_id)}/cancel", wire.ChangedOrder, headers={_IDEMPOTENCY: key}
        )

    async def refund_order(self, order_id: str, body: Mapping[str, Any] | None, key: str) -> wire.ChangedOrder:
        """body: None for the whole."""
        return await self._transport.write(
            "orders.refund",
            f"/v1/orders/{_checked(order_id)}/refund",
            wire.ChangedOrder,
            json=body,
            headers={_IDEMPOTENCY: key},
        )

    async def get_order(self, order_id: str) -> wire.Order:
        return await self._transport.read("orders.get", f"/v1/orders/{_checked(order_id)}", wire.Order)

    async def search_orders(self, external_reference: str, window: Window) -> wire.Page:
        params = {"external_reference": external_reference, **_span(window)}
        return await self._transport.read("orders.search", "/v1/orders", wire.Page, params=params)

    async def list_orders(self, window: Window, offset: int) -> wire.Page:
        """PAGE of them at most, from the one at `offset` on."""
        params = {**_span(window), "limit": str(PAGE), "offset": str(offset)}
        return await self._transport.read("orders.list", "/v1/orders", wire.Page, params=params)


def _checked(order_id: str) -> str:
    # It becomes part of a path, and may have come from outside.
    if _ID.fullmatch(order_id) is None:
        raise PaymentNotFound(NAME, "malformed_id")
    return order_id


def _span(window: Window) -> dict[str, str]:
    return {"begin_date": _iso(window.first), "end_date": _iso(window.last)}


def _iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _failure(answer: OutboundResponse, *, write: bool) -> ProviderError:
    return failure(answer.status, _error(answer), write=write, retry_after=answer.retry_after)


def _error(answer: OutboundResponse) -> wire.Error | None:
    try:
        return wire.Error.model_validate(answer.json())
    except (InvalidJson, ValidationError):
        return None
