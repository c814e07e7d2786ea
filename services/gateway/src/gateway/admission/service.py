"""Decides whether a request passes: its limit, and for a bearer its session. Redis down means stricter, never open."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from chassis.auth import Principal
from chassis.crypto import BlindIndex
from kernel import RateLimited, Unauthenticated, Unavailable
from prometheus_client import Counter

from gateway.admission.limits import Decision, Limit, LocalLimits
from gateway.admission.redis_link import StoreDown
from gateway.admission.sessions import Sessions
from gateway.admission.store import AdmissionStore, SessionState
from gateway.routing.table import LimitClass

_admissions = Counter("cobro_gateway_admissions_total", "Requests by what admission decided", ["limit", "outcome"])
_store_down = Counter("cobro_gateway_store_down_total", "Admissions decided without Redis", [])


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the answer's RateLimit headers say."""

    limit_class: LimitClass
    limit: Limit
    decision: Decision

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers)."""
        name = self.limit_class.value
        policy = f'"{name}";q={self.limit.rate};w={self.limit.period}'
        state = f'"{name}";r={self.decision.remaining};t={self.decision.reset}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]


@dataclass(frozen=True, slots=True)
class _Counted:
    """session: what Redis knows of it. stored: whether Redis was asked at all."""

    admitted: Admitted
    session: SessionState | None
    stored: bool


class Limited(RateLimited):
    """Too many requests; carries what the headers say."""

    def __init__(self, admitted: Admitted) -> None:
        super().__init__("Too many requests", retry_after=max(1, admitted.decision.retry_after))
        self.admitted = admitted


class Admission:
    def __init__(
        self, store: AdmissionStore, sessions: Sessions, limits: Mapping[LimitClass, Limit], index: BlindIndex
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._limits = limits
        self._local = LocalLimits()

        # An address is personal data: Redis holds a keyed hash of it.
        @lru_cache(maxsize=10_000)
        def hashed(address: str) -> str:
            return index.of(address, column="gateway.address").hex()

        self._hashed = hashed

    async def admit_address(self, limit_class: LimitClass, address: str) -> Admitted:
        """A public route, counted per address. Raises Limited."""
        return (await self._count(limit_class, self._hashed(address), None)).admitted

    async def admit_caller(self, caller: Principal) -> Admitted:
        """A bearer's route, counted per user. Raises Unauthenticated, Limited, or Unavailable when neither Redis nor
        auth can say whether the session still holds."""
        session_id = str(caller.session_id)
        counted = await self._count(LimitClass.API, str(caller.user_id), session_id)
        if counted.session is SessionState.ACTIVE:
            self._sessions.confirmed(session_id)
            return counted.admitted
        if counted.session is SessionState.REVOKED or not await self._ask(session_id, stored=counted.stored):
            self._sessions.revoked(session_id)
            _admissions.labels(LimitClass.API.value, "revoked").inc()
            raise Unauthenticated("The session has ended", code="session_revoked")
        return counted.admitted

    async def _ask(self, session_id: str, *, stored: bool) -> bool:
        try:
            if not stored:
                return await self._sessions.without_store(session_id)
            active = await self._sessions.ask(session_id)
        except Unavailable as error:
            _admissions.labels(LimitClass.API.value, "unknown").inc()
            message = "Sessions cannot be checked at the moment"
            raise Unavailable(message, code="auth_unavailable", retry_after=2) from error
        try:
            await self._store.remember(session_id, SessionState.ACTIVE if active else SessionState.REVOKED)
        except StoreDown:
            _store_down.inc()
        return active

    async def _count(self, limit_class: LimitClass, subject: str, session_id: str | None) -> _Counted:
        limit = self._limits[limit_class]
        key = f"limit:{limit_class.value}:{subject}"
        session, stored = None, True
        try:
            answer = await self._store.check(key, limit, session_id)
            decision, session = answer.decision, answer.session
        except StoreDown:
            _store_down.inc()
            decision, stored = self._local.take(key, limit, time.monotonic() * 1_000_000), False
        admitted = Admitted(limit_class, limit, decision)
        if not decision.allowed:
            _admissions.labels(limit_class.value, "limited").inc()
            raise Limited(admitted)
        _admissions.labels(limit_class.value, "passed").inc()
        return _Counted(admitted, session, stored)
