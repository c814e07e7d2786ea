"""What the gateway and the services read of a session in Redis, under `session:{id}`:

    1            it is alive
    0            it has ended
    a number     it is alive, and access tokens issued up to this moment (Unix microseconds) no longer say what is true

A missing key means "ask auth" (Sessions.CheckSession). So Redis may forget anything at any time, but must not go on
believing what has ended or changed: what Redis could not be told is told again by a job.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.telemetry.logs import get_logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = get_logger(__name__)

# The life of an access token; ends and bounds are remembered a little longer than any token issued before them.
_ALIVE_SECONDS = 900
ENDED_SECONDS = 960
_DOWN = (RedisError, OSError, TimeoutError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An end is final, and of two bounds the later one counts, in whatever order they arrive.
_OUTDATE = """
for place, key in ipairs(KEYS) do
    local known = redis.call('GET', key)
    if known ~= '0' and (not known or known == '1' or tonumber(known) < tonumber(ARGV[place + 1])) then
        redis.call('SET', key, ARGV[place + 1], 'EX', ARGV[1])
    end
end
"""


class SessionStates:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._outdate = redis.register_script(_OUTDATE)

    async def activate(self, session_id: UUID) -> None:
        """Spare the gateway a question. Never overwrites an end or a bound, and does nothing when Redis is down."""
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

    async def outdate(self, bounds: Mapping[UUID, datetime]) -> bool:
        """Refuse the access tokens of each session that were issued up to its moment. False when Redis was not told."""
        keys = [_key(session_id) for session_id in bounds]
        try:
            await self._outdate(keys=keys, args=[ENDED_SECONDS, *map(microseconds, bounds.values())])
        except _DOWN as error:
            log.warning("session_state.bound_not_written", sessions=len(bounds), error=type(error).__name__)
            return False
        return True


def microseconds(moment: datetime) -> int:
    """Unix microseconds, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _key(session_id: UUID) -> str:
    return f"session:{session_id}"
