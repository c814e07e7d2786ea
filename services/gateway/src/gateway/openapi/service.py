"""The merged document, made again from the services that are up when somebody reads it and it has grown old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from chassis.telemetry.logs import get_logger

from gateway.openapi.base import base_document
from gateway.openapi.merge import merge
from gateway.proxy.connection import UpstreamError
from gateway.proxy.upstream import Upstream

log = get_logger(__name__)

_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Merged:
    body: bytes
    etag: bytes


class MergedOpenApi:
    """An old document is given out while the next is being made; only the very first reader waits.

    fresh_for: seconds after which it is made again for the next reader, with the services that are up by then.
    """

    def __init__(self, upstreams: Mapping[str, Upstream], *, fresh_for: float = 15.0) -> None:
        self._upstreams = upstreams
        self._fresh_for = fresh_for
        self._merged: Merged | None = None
        self._made = float("-inf")
        self._making: asyncio.Task[Merged] | None = None

    async def get(self) -> Merged:
        if self._merged is not None and time.monotonic() - self._made < self._fresh_for:
            return self._merged
        if self._making is None:
            self._making = asyncio.create_task(self._make())
        if self._merged is not None:
            return self._merged
        return await asyncio.shield(self._making)

    async def _make(self) -> Merged:
        try:
            fetched = await asyncio.gather(*map(_fetch, self._upstreams.values()))
            documents = {name: found for name, found in zip(self._upstreams, fetched, strict=True) if found is not None}
            body = await asyncio.to_thread(_render, documents)
            self._merged = Merged(body, b'"%b"' % sha256(body).hexdigest()[:32].encode())
            self._made = time.monotonic()
            return self._merged
        finally:
            self._making = None


def _render(documents: Mapping[str, Any]) -> bytes:
    return orjson.dumps(merge(documents, base=base_document()))


async def _fetch(upstream: Upstream) -> dict[str, Any] | None:
    try:
        answer = await upstream.fetch("/openapi.json", timeout=_TIMEOUT)
        document = orjson.loads(answer.body) if answer.status == 200 else None
    except (UpstreamError, TimeoutError, orjson.JSONDecodeError) as error:
        log.info("openapi.service_left_out", upstream=upstream.name, reason=type(error).__name__)
        return None
    return document if isinstance(document, dict) and isinstance(document.get("paths"), dict) else None
