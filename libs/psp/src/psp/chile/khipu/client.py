"""The transport to Khipu: one method per endpoint, every failure as an error of the provider contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from chassis.outbound import OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import ValidationError

from psp.chile.khipu import wire
from psp.chile.khipu.mapping import NAME, failure
from psp.chile.khipu.settings import KhipuSettings
from psp.provider import PaymentNotFound, ProviderError, ProviderNotConfigured
from psp.transport import Transport, connect

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class KhipuClient:
    """Read calls raise ProviderUnavailable when they fail; write calls OutcomeUnknown unless nothing was sent."""

    def __init__(self, http: OutboundClient) -> None:
        self._transport = Transport(NAME, http, _failure)

    @classmethod
    def open(cls, settings: KhipuSettings) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without an API key."""
        if settings.api_key is None:
            raise ProviderNotConfigured(NAME, "api_key_missing")
        return cls(
            connect(
                NAME,
                settings,
                headers={"x-api-key": settings.api_key.get_secret_value(), "Accept": "application/json"},
            )
        )

    async def close(self) -> None:
        await self._transport.close()

    async def create_payment(self, body: Mapping[str, Any]) -> wire.Addresses:
        return await self._transport.write("payments.create", "/v3/payments", wire.Addresses, json=body)

    async def get_payment(self, payment_id: str) -> wire.Payment:
        return await self._transport.read("payments.get", f"/v3/payments/{_checked(payment_id)}", wire.Payment)

    async def delete_payment(self, payment_id: str) -> None:
        path = f"/v3/payments/{_checked(payment_id)}"
        await self._transport.write("payments.delete", path, wire.Message, method="DELETE")

    async def refund(self, body: Mapping[str, Any]) -> wire.Refunded:
        return await self._transport.write("refunds.create", "/v3/refunds", wire.Refunded, json=body)

    async def refund_payment(self, payment_id: str, body: Mapping[str, Any]) -> None:
        path = f"/v3/payments/{_checked(payment_id)}/refunds"
        await self._transport.write("payments.refund", path, wire.Message, json=body)


def _checked(payment_id: str) -> str:
    # It becomes part of a path, and may have come from outside.
    if _ID.fullmatch(payment_id) is None:
        raise PaymentNotFound(NAME, "malformed_id")
    return payment_id


def _failure(answer: OutboundResponse, *, write: bool) -> ProviderError:
    return failure(answer.status, _error(answer), write=write, retry_after=answer.retry_after)


def _error(answer: OutboundResponse) -> wire.Error | None:
    try:
        return wire.Error.model_validate(answer.json())
    except (InvalidJson, ValidationError):
        return None
