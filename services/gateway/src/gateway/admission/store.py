"""What the gateway keeps in Redis: arrival times of limits, and states of sessions, asked for in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Final

from gateway.admission.limits import Decision, Limit
from gateway.admission.redis_link import Argument, RedisLink, ReplyError, StoreDown
from gateway.admission.sessions import Session

_SCRIPT: Final = (Path(__file__).parent / "limit.lua").read_text()
_DIGEST: Final = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_LOAD: Final = ("SCRIPT", "LOAD", _SCRIPT)
# Matches auth, which writes the same keys: 15 minutes, the life of an access token.
_SESSION_TTL: Final = 900


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """decisions: of the limits that were looked at, in order. session is None when Redis does not know it."""

    decisions: list[Decision]
    session: Session | None


class AdmissionStore:
    def __init__(self, redis_url: str) -> None:
        self._redis = RedisLink(redis_url, prepare=_LOAD)

    async def check(
        self, charges: Sequence[tuple[str, Limit]], *, session_id: str | None = None, issued_at: int = 0
    ) -> StoreAnswer:
        """Count one request under its limits, by key, and look the session up. Raises StoreDown.

        issued_at: unix seconds, of the token. One that no longer holds is charged under the first limit only.
        """
        command: list[Argument] = ["EVALSHA", _DIGEST, len(charges), *[key for key, _ in charges]]
        if session_id is not None:
            command[2] = len(charges) + 1
            command.append(_session_key(session_id))
        command.append(issued_at * 1_000_000)
        for _, limit in charges:
            command += (limit.interval, limit.tolerance)
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
        decisions = [Decision.of_microseconds(*answer[start : start + 3]) for start in range(2, len(answer), 3)]
        return StoreAnswer(decisions, Session.parse(answer[1]))

    async def remember(self, session_id: str, session: Session) -> None:
        """Keep what auth said. An active state never overwrites what auth has written meanwhile. Raises StoreDown."""
        only_new = ("NX",) if session.active else ()
        try:
            await self._redis.execute("SET", _session_key(session_id), session.text(), "EX", _SESSION_TTL, *only_new)
        except ReplyError as error:
            raise StoreDown(str(error).partition(" ")[0]) from None

    async def ping(self) -> bool:
        return await self._redis.ping()

    async def close(self) -> None:
        await self._redis.close()


def _session_key(session_id: str) -> str:
    return f"session:{session_id}"
