"""Which services are up, for `GET /health`: asked at most every few seconds, however often it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from gateway.proxy.connection import UpstreamError
from gateway.proxy.upstream import Upstream

_FRESH_FOR = 3.0
_TIMEOUT = 2.0


class SuiteStatus:
    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._known: dict[str, Any] | None = None
        self._asked = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self) -> dict[str, Any]:
        """`{"status": "ok" | "degraded", "services": {name: "up" | "unready" | "down"}}`"""
        async with self._lock:
            if self._known is None or time.monotonic() - self._asked > _FRESH_FOR:
                states = await asyncio.gather(*map(_state, self._upstreams.values()))
                services = dict(zip(self._upstreams, states, strict=True))
                healthy = all(state == "up" for state in states)
                self._known = {"status": "ok" if healthy else "degraded", "services": services}
                self._asked = time.monotonic()
            return self._known


async def _state(upstream: Upstream) -> str:
    try:
        answer = await upstream.fetch("/health/ready", timeout=_TIMEOUT)
    except (UpstreamError, TimeoutError):
        return "down"
    return "up" if answer.status == 200 else "unready"
