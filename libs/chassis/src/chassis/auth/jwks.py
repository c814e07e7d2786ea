"""The public keys of auth, fetched from `/.well-known/jwks.json` and kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from kernel import Unavailable

from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

_REFRESH_EVERY = 300.0
_RETRY_UNKNOWN_AFTER = 2.0
_STALE_FOR = 24 * 3600.0
_TIMEOUT = 2.0
_MAX_BYTES = 1 << 16


class JwksClient:
    """Keys by id. An unknown id asks again, at most every two seconds and once for all waiting; when auth is down the
    last keys serve for a day."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: Mapping[str, OKPKey] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> OKPKey | None:
        """The key, None when auth does not know it. Raises Unavailable when no keys can be had at all."""
        now = time.monotonic()
        wait = _REFRESH_EVERY if kid in self._keys else _RETRY_UNKNOWN_AFTER
        if now - self._tried >= wait or not self._keys:
            async with self._lock:
                # Whoever waited takes what the one before got, also when that was nothing.
                if self._tried < now:
                    await self._refresh()
        if time.monotonic() - self._fetched > _STALE_FOR:
            raise Unavailable("Tokens cannot be verified at the moment", code="auth_unavailable", retry_after=2)
        return self._keys.get(kid)

    async def keep_fresh(self) -> None:
        """Fetch the keys when there are none, or old ones: so that they are here before auth can be away."""
        if not self._keys or time.monotonic() - self._fetched >= _REFRESH_EVERY:
            async with self._lock:
                await self._refresh()

    async def _refresh(self) -> None:
        try:
            document = orjson.loads(await asyncio.to_thread(self._fetch))
            self._keys = {entry["kid"]: OKPKey.import_key(entry) for entry in document["keys"] if _is_ours(entry)}
            self._fetched = time.monotonic()
        except (OSError, HTTPException, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("jwks.refresh_failed", error=type(error).__name__)
        finally:
            self._tried = time.monotonic()

    def _fetch(self) -> bytes:
        # One small request every few minutes: an HTTP client library for it would cost each service 7 MiB.
        with urlopen(self._url, timeout=_TIMEOUT) as response:  # noqa: S310 - the address is our own setting
            document: bytes = response.read(_MAX_BYTES)
        return document


def _is_ours(entry: Mapping[str, Any]) -> bool:
    """A key of another kind, should auth ever publish one, is for others."""
    return entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519" and entry.get("use", "sig") == "sig"
