"""What the gateway keeps in Redis: arrival times of limits, and states of sessions, asked for in one round trip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1
from pathlib import Path
from typing import Final

from gateway.admission.limits import Decision, Limit
from gateway.admission.redis_link import RedisLink, ReplyError, StoreDown

_SCRIPT: Final = (Path(__file__).parent / "limit.lua").read_text()
_DIGEST: Final = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_LOAD: Final = ("SCRIPT", "LOAD", _SCRIPT)
# Matches auth, which writes the same keys: 15 minutes, the life of an access token.
_SESSION_TTL: Final = 900


class SessionState(StrEnum):
    ACTIVE = "1"
    REVOKED = "0"


_STATES: Final = {b"1": SessionState.ACTIVE, b"0": SessionState.REVOKED}


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """session is None when Redis does not know it."""

    decision: Decision
    session: SessionState | None


class AdmissionStore:
    def __init__(self, redis_url: str) -> None:
        self._redis = RedisLink(redis_url, prepare=_LOAD)

    async def check(self, limit_key: str, limit: Limit, session_id: str | None) -> StoreAnswer:
        """Count one request and look the session up. Raises StoreDown."""
        keys = (limit_key,) if session_id is None else (limit_key, _session_key(session_id))
        command = ("EVALSHA", _DIGEST, len(keys), *keys, limit.interval, limit.tolerance)
        try:
            try:
                answer = await self._redis.execute(*command)
            except ReplyError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                await self._redis.execute(*_LOAD)  # somebody flushed the scripts
                answer = await self._redis.execute(*command)
        except ReplyError as error:
            raise StoreDown(str(error).partition(" ")[0]) from None
        allowed, remaining, retry_after, reset, state = answer
        decision = Decision.of_microseconds(allowed == 1, remaining, retry_after, reset)
        return StoreAnswer(decision, _STATES.get(state))

    async def remember(self, session_id: str, state: SessionState) -> None:
        """Keep what auth said. An active state never overwrites a revocation written meanwhile. Raises StoreDown."""
        only_new = ("NX",) if state is SessionState.ACTIVE else ()
        try:
            await self._redis.execute("SET", _session_key(session_id), state.value, "EX", _SESSION_TTL, *only_new)
        except ReplyError as error:
            raise StoreDown(str(error).partition(" ")[0]) from None

    async def ping(self) -> bool:
        return await self._redis.ping()

    async def close(self) -> None:
        await self._redis.close()


def _session_key(session_id: str) -> str:
    return f"session:{session_id}"
