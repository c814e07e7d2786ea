"""Redis as a cache: every call bounded, every key with a time to live, and an outage means slower, never wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import RedisError

from chassis.telemetry import metrics
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

CALL_TIMEOUT = 0.25
_DOWN = (RedisError, OSError, TimeoutError)


def connect_redis(url: str) -> Redis:
    """A client whose every call ends within a quarter second. Connects on first use."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=32,
        timeout=CALL_TIMEOUT,
        socket_timeout=CALL_TIMEOUT,
        socket_connect_timeout=CALL_TIMEOUT,
        health_check_interval=0,
    )
    return Redis.from_pool(pool)


class Cache:
    """JSON values. Keys begin with what they are about, for services share them. A failing Redis reads as a miss."""

    def __init__(self, redis: Redis, service: str) -> None:
        self.redis = redis
        self._service = service

    def _count(self, outcome: str) -> None:
        metrics.cache_operations.labels(self._service, outcome).inc()

    async def get(self, key: str) -> Any | None:
        try:
            raw = await self.redis.get(key)
        except _DOWN:
            self._count("error")
            return None
        self._count("miss" if raw is None else "hit")
        return None if raw is None else orjson.loads(raw)

    async def set(self, key: str, value: Any, *, ttl: int) -> None:
        try:
            await self.redis.set(key, orjson.dumps(value, default=str), ex=ttl)
        except _DOWN:
            self._count("error")

    async def drop(self, *keys: str) -> bool:
        """Forget keys. False when Redis could not be told, so that the caller may try again."""
        try:
            await self.redis.delete(*keys)
        except _DOWN:
            self._count("error")
            return False
        return True

    async def remember(self, key: str, load: Callable[[], Awaitable[Any]], *, ttl: int) -> Any:
        """The cached value, or `load()`'s, which is then cached. None is not cached."""
        value = await self.get(key)
        if value is None:
            value = await load()
            if value is not None:
                await self.set(key, value, ttl=ttl)
        return value

    async def ping(self) -> bool:
        try:
            return bool(await self.redis.ping())
        except _DOWN:
            return False

    async def close(self) -> None:
        await self.redis.aclose()
