"""`/health/live`, `/health/ready` and `/metrics`, the same on every service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

Check = Callable[[], Awaitable[bool]]
_CHECK_TIMEOUT = 2.0


async def passes(check: Check) -> bool:
    """Its answer, and no where it fails or takes too long."""
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT):
            return await check()
    except Exception:  # noqa: BLE001 - a check that fails in any way is a failed check
        return False


def health_router(service: str, checks: Mapping[str, Check]) -> APIRouter:
    """`ready` is 200 when every check passes, 503 naming those that do not. `live` says only that the loop turns."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> Response:
        return JSONResponse({"status": "ok", "service": service})

    @router.get("/health/ready")
    async def ready() -> Response:
        results = dict(zip(checks, await asyncio.gather(*map(passes, checks.values())), strict=True))
        healthy = all(results.values())
        body = {"status": "ok" if healthy else "unavailable", "service": service, "checks": results}
        return JSONResponse(body, 200 if healthy else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
