"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), kept in PostgreSQL with the business write for 30 days.

Same key and same request: the stored answer, with `Idempotent-Replayed: true`. Another request under the key: 422. A
duplicate while the first still runs: 409 with Retry-After. Answers are stored encrypted, since they carry what the
response carried.

`run` is for an effect that is local to one transaction. An effect outside (a payment provider, another service) is
claim, call, finish: `claim` in a transaction before, `finish` in one after; a lease lets a second try resume after a
crash, and the owner is the fence that keeps a slow first try from overwriting it.

A hot path that is one statement before and one after the outside call puts `claim_sql` and FINISH_SQL into CTEs of its
own, with the parameters of `claiming` and `finishing`; they bring the scope of the statement (SCOPED) along. Where
`claim_sql` returns no row the key was used before: `claim` then says how.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from kernel import Conflict, RuleViolation
from pydantic import BaseModel
from sqlalchemy import text

from chassis.crypto import FieldCipher
from chassis.database.driver import SCOPED
from chassis.database.engine import Database
from chassis.database.unit import UnitOfWork

T = TypeVar("T", bound=BaseModel)

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class IdempotencyScope:
    """One use of a key: who sent which request to which route. `key` is None when the client gave none."""

    principal_id: UUID
    route: str
    key: str | None
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it was, or will be, given: status and JSON body."""

    status: int
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out the request. resource_id is the one of the first try when this one resumes it."""

    owner: UUID
    resource_id: UUID
    resumed: bool = False


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:scope, 0)) AS locked")
_FIND = text(
    "SELECT fingerprint, owner, resource_id, status, body, coalesce(lease_until < now(), false) AS expired"
    " FROM idempotency_keys WHERE principal_id = :principal AND route = :route AND key = :key"
)
_STORE = text(
    "INSERT INTO idempotency_keys (principal_id, route, key, fingerprint, status, body)"
    " VALUES (:principal, :route, :key, :fingerprint, :status, :body)"
)
_CLAIM = text(
    "INSERT INTO idempotency_keys (principal_id, route, key, fingerprint, owner, resource_id, lease_until)"
    " VALUES (:principal, :route, :key, :fingerprint, :owner, :resource, now() + :lease)"
    " ON CONFLICT (principal_id, route, key) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until"
)
_FINISH = text(
    "UPDATE idempotency_keys SET status = :status, body = :body, owner = NULL, lease_until = NULL"
    " WHERE principal_id = :principal AND route = :route AND key = :key AND owner = :owner"
)

# A scope without a key has no row: `key = NULL` finds none, so the three below then simply do nothing.
_HELD = " WHERE principal_id = :key_principal AND route = :key_route AND key = :key AND owner = :key_owner"
_OWNED = f"{_HELD} AND {SCOPED}"
FINISH_SQL: Final = (
    f"UPDATE idempotency_keys SET status = :key_status, body = :key_body, owner = NULL, lease_until = NULL{_OWNED}"  # noqa: S608
)
RELEASE_SQL: Final = f"UPDATE idempotency_keys SET lease_until = now(){_OWNED}"  # noqa: S608 - constants
"""Let the next try with this key resume at once: this one ended without knowing the outcome."""
FORGET_SQL: Final = f"DELETE FROM idempotency_keys{_OWNED}"  # noqa: S608 - constants
"""Let the next try with this key begin anew: this one did nothing, and is known to have done nothing."""


def claim_sql(condition: str = "true") -> str:
    """condition: SQL without which nothing is claimed, for what a caller took for granted."""
    return (
        "INSERT INTO idempotency_keys (principal_id, route, key, fingerprint, owner, resource_id, lease_until)"
        " SELECT :key_principal, :key_route, :key, :key_fingerprint, :key_owner, :key_resource, now() + :key_lease"
        f" WHERE {SCOPED} AND {condition} ON CONFLICT (principal_id, route, key) DO NOTHING RETURNING resource_id"
    )


_RELEASE = text(f"UPDATE idempotency_keys SET lease_until = now(){_HELD}")  # noqa: S608 - constants
_FORGET = text(f"DELETE FROM idempotency_keys{_HELD}")  # noqa: S608 - constants


def in_progress() -> Conflict:
    return Conflict(
        "A request with this Idempotency-Key is still being carried out", code="idempotency_in_progress", retry_after=1
    )


def key_reused() -> RuleViolation:
    return RuleViolation("This Idempotency-Key was used with another request", code="idempotency_key_reused")


class Idempotency:
    """The store of one service."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    async def run(
        self, scope: IdempotencyScope, work: Callable[[UnitOfWork], Awaitable[T]], *, status: int = 201
    ) -> Answer:
        """Carry out `work` in one transaction with its answer, or replay. Only answers of success are stored: an error
        rolled back and did nothing, so trying again is right."""

        async def once(unit: UnitOfWork) -> Answer:
            if scope.key is None:
                return _answer(status, await work(unit))
            replay = await self._lock_and_find(unit, scope)
            if isinstance(replay, Answer):
                return replay
            answer = _answer(status, await work(unit))
            await unit.session.flush()
            await unit.session.execute(
                _STORE, {**_key(scope), "fingerprint": scope.fingerprint, **self._sealed(scope, answer)}
            )
            return answer

        return await self._database.run(once)

    async def claim(self, unit: UnitOfWork, scope: IdempotencyScope, resource_id: UUID) -> Claim | Answer:
        """The right to go on, or the stored answer. Raises Conflict while another try holds the lease."""
        owner = uuid4()
        if scope.key is None:
            return Claim(owner, resource_id)
        found = await self._lock_and_find(unit, scope)
        if isinstance(found, Answer):
            return found
        if found is not None:
            resource_id = found
        await unit.session.execute(
            _CLAIM,
            {
                **_key(scope),
                "fingerprint": scope.fingerprint,
                "owner": owner,
                "resource": resource_id,
                "lease": LEASE,
            },
        )
        return Claim(owner, resource_id, resumed=found is not None)

    async def finish(self, unit: UnitOfWork, scope: IdempotencyScope, claim: Claim, answer: Answer) -> bool:
        """Store the answer with the transaction's other writes. False: another try took over, so roll back."""
        if scope.key is None:
            return True
        parameters = {**_key(scope), "owner": claim.owner, **self._sealed(scope, answer)}
        done = await unit.session.execute(_FINISH, parameters)
        return done.rowcount == 1  # type: ignore[attr-defined, no-any-return]

    async def forget(self, unit: UnitOfWork, scope: IdempotencyScope, claim: Claim) -> None:
        """FORGET_SQL within a transaction."""
        await unit.session.execute(_FORGET, self.holding(scope, claim))

    async def release(self, unit: UnitOfWork, scope: IdempotencyScope, claim: Claim) -> None:
        """RELEASE_SQL within a transaction."""
        await unit.session.execute(_RELEASE, self.holding(scope, claim))

    def claiming(self, scope: IdempotencyScope, resource_id: UUID) -> tuple[Claim, dict[str, Any]]:
        """A claim, held once `claim_sql` with these parameters has returned a row. The scope must have a key."""
        claim = Claim(uuid4(), resource_id)
        parameters = self.holding(scope, claim)
        parameters |= {"key_fingerprint": scope.fingerprint, "key_resource": resource_id, "key_lease": LEASE}
        return claim, parameters

    def finishing(self, scope: IdempotencyScope, claim: Claim, answer: Answer) -> dict[str, Any]:
        """Parameters of FINISH_SQL."""
        body = None if scope.key is None else self._cipher.encrypt(answer.body, context=_place(scope))
        return {**self.holding(scope, claim), "key_status": answer.status, "key_body": body}

    def holding(self, scope: IdempotencyScope, claim: Claim) -> dict[str, Any]:
        """Parameters of RELEASE_SQL and FORGET_SQL."""
        return {
            "key_principal": scope.principal_id,
            "key_route": scope.route,
            "key": scope.key,
            "key_owner": claim.owner,
        }

    async def _lock_and_find(self, unit: UnitOfWork, scope: IdempotencyScope) -> Answer | UUID | None:
        """A stored answer, the resource of an abandoned try, or None for a first use."""
        identity = f"{scope.principal_id}|{scope.route}|{scope.key}"
        if not (await unit.session.execute(_TRY_LOCK, {"scope": identity})).scalar_one():
            raise in_progress()
        row = (await unit.session.execute(_FIND, _key(scope))).first()
        if row is None:
            return None
        if bytes(row.fingerprint) != scope.fingerprint:
            raise key_reused()
        if row.status is not None:
            return Answer(row.status, self._cipher.decrypt_bytes(row.body, context=_place(scope)), replayed=True)
        if not row.expired:
            raise in_progress()
        return UUID(str(row.resource_id))

    def _sealed(self, scope: IdempotencyScope, answer: Answer) -> dict[str, object]:
        return {"status": answer.status, "body": self._cipher.encrypt(answer.body, context=_place(scope))}


def _key(scope: IdempotencyScope) -> dict[str, object]:
    return {"principal": scope.principal_id, "route": scope.route, "key": scope.key}


def _place(scope: IdempotencyScope) -> str:
    return f"idempotency_keys.body:{scope.principal_id}:{scope.route}:{scope.key}"


def _answer(status: int, model: BaseModel) -> Answer:
    return Answer(status, model.model_dump_json(by_alias=True).encode())
