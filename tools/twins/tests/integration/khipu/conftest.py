from __future__ import annotations

import asyncio
import base64
import hmac
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from twins.khipu.settings import KhipuTwinSettings
from twins.testing import ProviderTwin, running_twins

OWN = KhipuTwinSettings(refund_seconds=1e6)


class Khipu:
    """Khipu's API by hand, and what it posts."""

    def __init__(self, twin: ProviderTwin, receiver: Any) -> None:
        self.twin = twin
        self._receiver = receiver

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str | None) -> tuple[int, Any]:
        sent = {"x-api-key": OWN.api_key.get_secret_value(), **headers}
        chosen = {name: value for name, value in sent.items() if value is not None}
        data = body if isinstance(body, bytes) else None
        async with self.twin._session.request(
            method,
            f"{self.twin.api_url}/v3{path}",
            headers=chosen,
            data=data,
            json=None if data is not None else body,
        ) as answer:
            return answer.status, await answer.json()

    async def payment(self, **changes: Any) -> str:
        status, answer = await self("POST", "/payments", self.body(**changes))
        assert status in (200, 201), answer
        return str(answer["payment_id"])

    def body(self, **changes: Any) -> dict[str, Any]:
        values = {
            "amount": 15050,
            "currency": "CLP",
            "subject": "Café",
            "transaction_id": uuid.uuid4().hex,
            "notify_url": self._receiver.url,
            "notify_api_version": "3.0",
        }
        return {key: value for key, value in (values | changes).items() if value is not None}

    async def told(self, payment_id: str, count: int = 1) -> list[tuple[bytes, Mapping[str, str]]]:
        """What was posted about the payment, once there is so much."""
        async with asyncio.timeout(10):
            while True:
                found = [sent for sent in self._receiver.received if payment_id.encode() in sent[0]]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)

    async def settled(self, payment_id: str) -> list[dict[str, Any]]:
        """The deliveries of a payment, once none is pending."""
        async with asyncio.timeout(10):
            while True:
                deliveries = await self.twin.deliveries(payment_id)
                if deliveries and all(entry["state"] != "pending" for entry in deliveries):
                    return deliveries
                await asyncio.sleep(0.01)

    def holds(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """By Khipu's description: split at the comma, then at the first equals sign."""
        value = next(value for name, value in headers.items() if name.lower() == "x-khipu-signature")
        parts = dict(part.split("=", 1) for part in value.split(","))
        signed = parts["t"].encode() + b"." + body
        return base64.b64decode(parts["s"]) == hmac.digest(OWN.secret.get_secret_value().encode(), signed, "sha256")


@pytest.fixture(scope="package")
async def twin() -> AsyncIterator[ProviderTwin]:
    async with running_twins(khipu=OWN, time_scale=6000) as twins:
        yield twins.provider("khipu")


@pytest.fixture
def reach(receiver: Any) -> Callable[[ProviderTwin], Khipu]:
    """The API of another twin than the one most tests share."""
    return lambda twin: Khipu(twin, receiver)


@pytest.fixture
def khipu(twin: ProviderTwin, reach: Callable[[ProviderTwin], Khipu]) -> Khipu:
    return reach(twin)
