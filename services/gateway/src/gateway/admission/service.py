"""Decides whether a request passes: its limits, and for a bearer its session. Redis down means stricter, never open."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from chassis.auth import Principal
from chassis.crypto import BlindIndex
from kernel import RateLimited, Unauthenticated, Unavailable
from prometheus_client import Counter

from gateway.admission.limits import Decision, Limit, LocalLimits
from gateway.admission.redis_link import StoreDown
from gateway.admission.sessions import Session, Sessions
from gateway.admission.store import AdmissionStore
from gateway.routing.table import LimitClass

_admissions = Counter("cobro_gateway_admissions_total", "Requests by what admission decided", ["limit", "outcome"])
_store_down = Counter("cobro_gateway_store_down_total", "Admissions decided without Redis", [])


class _Policy:
    """One limit with what is said and counted of it, made once: it is gone through with every request."""

    def __init__(self, name: LimitClass, limit: Limit) -> None:
        self.limit = limit
        self.key = f"limit:{name}:"
        self.text = f'"{name}";q={limit.rate};w={limit.period}'
        self.state = f'"{name}";r='
        self.passed = _admissions.labels(name, "passed")
        self.refused = _admissions.labels(name, "limited")


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the answer's RateLimit headers say: policies and their decisions, in the same order."""

    policies: Sequence[_Policy]
    decisions: Sequence[Decision]

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11): lists, one item a limit."""
        pairs = zip(self.policies, self.decisions, strict=True)
        policies = ", ".join([policy.text for policy in self.policies])
        states = ", ".join([f"{policy.state}{decision.remaining};t={decision.reset}" for policy, decision in pairs])
        return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", states.encode())]


@dataclass(frozen=True, slots=True)
class _Counted:
    """session: what Redis knows of it. stored: whether Redis was asked at all."""

    admitted: Admitted
    session: Session | None
    stored: bool


class Limited(RateLimited):
    """Too many requests; carries what the headers say."""

    def __init__(self, admitted: Admitted) -> None:
        wait = max(decision.retry_after for decision in admitted.decisions)
        super().__init__("Too many requests", retry_after=max(1, wait))
        self.admitted = admitted


class Admission:
    def __init__(
        self, store: AdmissionStore, sessions: Sessions, limits: Mapping[LimitClass, Limit], index: BlindIndex
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._policies = {name: _Policy(name, limit) for name, limit in limits.items()}
        self._local = LocalLimits()

        # An address is personal data: Redis holds a keyed hash of it.
        @lru_cache(maxsize=10_000)
        def hashed(address: str) -> str:
            return index.of(address, column="gateway.address").hex()

        self._hashed = hashed

    async def admit_address(self, limit_class: LimitClass, address: str) -> Admitted:
        """A public route, counted per address. Raises Limited."""
        return (await self._count([(limit_class, self._hashed(address))])).admitted

    async def admit_caller(
        self, caller: Principal, limit_class: LimitClass = LimitClass.API, business: UUID | None = None
    ) -> Admitted:
        """A bearer's route, counted per user, under the route's own class too where it has one, and per business.

        Raises Unauthenticated, Limited, or Unavailable when neither Redis nor auth can say whether the session holds.
        """
        user = str(caller.user_id)
        subjects = [(LimitClass.API, user)]
        if limit_class is not LimitClass.API:
            subjects.append((limit_class, user))
        if business is not None:
            subjects.append((LimitClass.BUSINESS, str(business)))
        session_id = str(caller.session_id)
        counted = await self._count(subjects, session_id, caller.issued_at)
        session = counted.session
        if session is None:
            session = await self._ask(session_id, stored=counted.stored)
        else:
            self._sessions.learnt(session_id, session)
        if not session.active:
            _admissions.labels(LimitClass.API, "revoked").inc()
            raise Unauthenticated("The session has ended", code="session_revoked")
        if session.outdates(caller.issued_at):
            _admissions.labels(LimitClass.API, "stale").inc()
            raise Unauthenticated("The access token is out of date; refresh it", code="token_stale")
        return counted.admitted

    async def _ask(self, session_id: str, *, stored: bool) -> Session:
        try:
            if not stored:
                return await self._sessions.without_store(session_id)
            session = await self._sessions.ask(session_id)
        except Unavailable as error:
            _admissions.labels(LimitClass.API, "unknown").inc()
            message = "Sessions cannot be checked at the moment"
            raise Unavailable(message, code="auth_unavailable", retry_after=2) from error
        try:
            await self._store.remember(session_id, session)
        except StoreDown:
            _store_down.inc()
        return session

    async def _count(
        self, subjects: Sequence[tuple[LimitClass, str]], session_id: str | None = None, issued_at: int = 0
    ) -> _Counted:
        policies = [self._policies[name] for name, _ in subjects]
        charges = [
            (policy.key + subject, policy.limit) for policy, (_, subject) in zip(policies, subjects, strict=True)
        ]
        session, stored = None, True
        try:
            answer = await self._store.check(charges, session_id=session_id, issued_at=issued_at)
            decisions, session = answer.decisions, answer.session
        except StoreDown:
            _store_down.inc()
            decisions, stored = self._local.take(charges, time.monotonic() * 1_000_000), False
        del policies[len(decisions) :]  # those that a token which no longer holds was not charged under
        admitted = Admitted(policies, decisions)
        if all(decision.allowed for decision in decisions):
            policies[0].passed.inc()
            return _Counted(admitted, session, stored)
        for policy, decision in zip(policies, decisions, strict=True):
            if not decision.allowed:
                policy.refused.inc()
        raise Limited(admitted)
