"""Redis as the gateway asks it: one script for limit and session, all requests of the moment in one pipeline."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from chassis.cache import CALL_TIMEOUT
from chassis.outbound import CircuitBreaker
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from gateway.admission.limits import Decision, Limit

_SCRIPT = (Path(__file__).parent / "limit.lua").read_text()
_BATCH = 200
# Matches auth, which writes the same keys: 15 minutes, the life of an access token.
_SESSION_TTL = 900
_FAILURES_TO_OPEN = 2
_OPEN_SECONDS = 1.0


class StoreDown(Exception):
    """Redis did not answer in time, or has not a moment ago."""


class SessionState(StrEnum):
    ACTIVE = "1"
    REVOKED = "0"


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """session is None when Redis does not know it."""

    decision: Decision
    session: SessionState | None


class AdmissionStore:
    """Requests that arrive while a pipeline is under way share the next one: a round trip is paid once for all."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._digest: str | None = None
        self._pending: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._breaker = CircuitBreaker(_FAILURES_TO_OPEN, _OPEN_SECONDS, time.monotonic)

    async def check(self, limit_key: str, limit: Limit, session_id: str | None) -> StoreAnswer:
        """Count one request and look the session up. Raises StoreDown."""
        keys = (limit_key,) if session_id is None else (limit_key, _session_key(session_id))
        waiting = asyncio.get_running_loop().create_future()
        self._pending.append(((len(keys), *keys, limit.interval, limit.tolerance), waiting))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        allowed, remaining, retry_after, reset, state = await waiting
        decision = Decision.of_microseconds(allowed == 1, remaining, retry_after, reset)
        return StoreAnswer(decision, SessionState(state.decode()) if state in (b"0", b"1") else None)

    async def remember(self, session_id: str, state: SessionState) -> None:
        """Keep what auth said. An active state never overwrites a revocation written meanwhile. Raises StoreDown."""
        nx = state is SessionState.ACTIVE
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._redis.set(_session_key(session_id), state.value, ex=_SESSION_TTL, nx=nx)
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreDown from error

    async def _flush(self) -> None:
        try:
            while self._pending:
                batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
                await self._answer(batch)
        finally:
            self._flushing = None

    async def _answer(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> None:
        results: list[Any]
        failure: str | None = "circuit open"
        if self._breaker.admit() is None:
            try:
                async with asyncio.timeout(CALL_TIMEOUT):
                    results = await self._run([arguments for arguments, _ in batch])
                self._breaker.succeeded()
                failure = None
            except (RedisError, OSError, TimeoutError) as error:
                self._breaker.failed()
                failure = type(error).__name__
            except BaseException:
                self._breaker.abandoned()
                for _, waiting in batch:
                    waiting.cancel()
                raise
        if failure is not None:
            results = [failure] * len(batch)
        for (_, waiting), result in zip(batch, results, strict=True):
            if waiting.done():  # the client went away
                continue
            if isinstance(result, list):
                waiting.set_result(result)
            else:
                waiting.set_exception(StoreDown(result if isinstance(result, str) else type(result).__name__))

    async def _run(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        if self._digest is None:
            self._digest = await self._redis.script_load(_SCRIPT)
        results = await self._pipelined(calls)
        if any(isinstance(result, NoScriptError) for result in results):  # Redis was restarted or flushed
            self._digest = await self._redis.script_load(_SCRIPT)
            results = await self._pipelined(calls)
        return results

    async def _pipelined(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for arguments in calls:
            pipeline.execute_command("EVALSHA", self._digest, *arguments)
        return list(await pipeline.execute(raise_on_error=False))


def _session_key(session_id: str) -> str:
    return f"session:{session_id}"
