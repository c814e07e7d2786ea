"""What the gateway reads of a session in Redis: `session:{id}` is "1" while it is alive and "0" once it has ended.

A missing key means "ask auth" (Sessions.CheckSession). So Redis may forget anything at any time, but must not go on
believing in a session that has ended: an end that Redis could not be told is told again by a job.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from chassis.telemetry.logs import get_logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = get_logger(__name__)

# The life of an access token; the end is remembered a little longer than any token that was issued before it.
_ALIVE_SECONDS = 900
ENDED_SECONDS = 960
_DOWN = (RedisError, OSError, TimeoutError)


class SessionStates:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def activate(self, session_id: UUID) -> None:
        """Spare the gateway a question. Never overwrites an end, and does nothing when Redis is down."""
        try:
            await self._redis.set(_key(session_id), "1", nx=True, ex=_ALIVE_SECONDS)
        except _DOWN as error:
            log.warning("session_state.not_written", error=type(error).__name__)

    async def end(self, session_ids: Collection[UUID]) -> bool:
        """False when Redis could not be told."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for session_id in session_ids:
                    pipeline.set(_key(session_id), "0", ex=ENDED_SECONDS)
                await pipeline.execute()
        except _DOWN as error:
            log.warning("session_state.end_not_written", sessions=len(session_ids), error=type(error).__name__)
            return False
        return True


def _key(session_id: UUID) -> str:
    return f"session:{session_id}"
