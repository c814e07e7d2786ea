from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration

APP = "https://app.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


@pytest.fixture(scope="module")
async def open_gateway(start_gateway: Any) -> Any:
    async with start_gateway(
        GATEWAY_CORS_ORIGINS=f"{APP}, http://localhost:3000", PUBLIC_URL="https://x.test"
    ) as running:
        yield running


async def test_a_listed_origin_may_call(open_gateway: Any) -> None:
    preflight = await open_gateway.client.options("/api/v1/sales", headers={"origin": APP, **PREFLIGHT})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == APP
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
    assert open_gateway.services.count("/api/v1/sales") == 0
    answer = await open_gateway.client.get("/api/v1/sales", headers={"origin": APP, **open_gateway.bearer()})
    assert answer.headers["access-control-allow-origin"] == APP
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


async def test_errors_can_be_read_by_a_listed_origin(open_gateway: Any) -> None:
    answer = await open_gateway.client.get("/api/v1/sales", headers={"origin": APP})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, APP)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example.com"])
async def test_other_origins_may_not(open_gateway: Any, origin: str) -> None:
    for answer in (
        await open_gateway.client.options("/api/v1/sales", headers={"origin": origin, **PREFLIGHT}),
        await open_gateway.client.get("/api/v1/sales", headers={"origin": origin, **open_gateway.bearer()}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


async def test_strict_transport_security_follows_the_public_url(open_gateway: Any, gateway: Any) -> None:
    name = "strict-transport-security"
    assert name in (await open_gateway.client.get("/health")).headers
    assert name not in (await gateway.client.get("/health")).headers
