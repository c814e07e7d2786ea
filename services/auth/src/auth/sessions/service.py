"""Log-in, refresh, log-out, and the list of a user's sessions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.auth import Principal, Role
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from chassis.sessions import SessionState
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone
from kernel import Unauthenticated, new_id

from auth.audit import service as audit
from auth.audit.actions import AuditAction
from auth.audit.origin import current_origin
from auth.context import AuthContext
from auth.members import repository as members
from auth.metrics import logins, refreshes
from auth.sealing import reveal, seal
from auth.sessions import errors, repository, staleness
from auth.sessions.models import RefreshToken, UserSession
from auth.sessions.schemas import LoginRequest, SessionResponse, TokenResponse
from auth.sessions.states import microseconds
from auth.sessions.status import EndReason
from auth.sessions.tokens import (
    ACCESS_LIFETIME,
    REFRESH_LIFETIME,
    REUSE_GRACE,
    SESSION_LIFETIME,
    claimable,
)
from auth.throttling.limits import Guess
from auth.users import repository as users
from auth.users.models import User
from auth.users.presentation import present

log = get_logger(__name__)

_MEMBERSHIPS = 100
_KEEP_ENDED = timedelta(days=30)
_KEEP_EXPIRED_TOKENS = timedelta(days=1)


async def log_in(ctx: AuthContext, scope: IdempotencyScope, request: LoginRequest, device: str | None) -> Answer:
    """A new session. An unknown phone and a wrong password raise the same Unauthenticated, after the same time.

    Raises RateLimited, again for both alike, before any password is looked at.
    """
    session_id = new_id()
    async with ctx.throttle.attempt(Guess.LOGIN, request.phone, current_origin().address) as attempt:
        with everyone():
            async with ctx.database.read() as session:
                user = await users.find_by_phone(session, ctx.phone_index(request.phone))
        stored = user.password_hash if user else None
        verified = await ctx.passwords.verify(request.password, stored)
        if user is None or stored is None or not verified:
            attempt.wrong()
            logins.labels("refused").inc()
            await _note_refusal(ctx, user)
            raise errors.invalid_credentials()
        renewed = await ctx.passwords.hash(request.password) if ctx.passwords.is_outdated(stored) else None
        user_id = user.id

        async def work(unit: UnitOfWork) -> Data[TokenResponse]:
            locked = await (users.hold if renewed is None else users.lock)(unit.session, user_id)
            # Changed or deleted while its hash was being computed.
            if locked is None or locked.password_hash != stored:
                raise errors.invalid_credentials()
            if renewed is not None:
                locked.password_hash = renewed
            actor = Principal(user_id, session_id, Role(locked.role), locked.kyc_level, {})
            audit.record(ctx.cipher, unit, AuditAction.LOGIN_SUCCEEDED, actor=actor, subject_id=user_id)
            return Data(data=await start(ctx, unit, locked, session_id=session_id, device=device))

        with everyone():
            answer = await ctx.idempotency.run(scope, work, status=200)
    logins.labels("ok").inc()
    if not answer.replayed:
        await ctx.session_states.activate(session_id)
    return answer


async def _note_refusal(ctx: AuthContext, user: User | None) -> None:
    """Of an unknown phone, too: an entry that is written for some would show in the time of the answer."""

    async def work(unit: UnitOfWork) -> None:
        subject_id = user.id if user else None
        audit.record(ctx.cipher, unit, AuditAction.LOGIN_FAILED, actor=None, subject_id=subject_id)

    with everyone():
        await ctx.database.run(work)


async def start(
    ctx: AuthContext, unit: UnitOfWork, user: User, *, session_id: UUID, device: str | None
) -> TokenResponse:
    """A session of a user whose credentials were checked, within the caller's transaction."""
    now = unit.clock.now()
    login = UserSession(
        id=session_id,
        user_id=user.id,
        device=device,
        address=_sealed_address(ctx, session_id),
        created_at=now,
        used_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
    unit.session.add(login)
    await unit.session.flush()
    return await _grant(ctx, unit, user, login, ctx.refresh_tokens.first())


@dataclass(frozen=True, slots=True)
class _Reused:
    """A token was used long after it had been replaced: someone has a copy."""

    session_id: UUID
    user_id: UUID


async def refresh(ctx: AuthContext, token: str) -> TokenResponse:
    """Exchange a refresh token for its successor and a new access token. Raises Unauthenticated.

    Using a token again within ten seconds gives the same successor (RFC 9700 4.14.2, with a grace for lost answers);
    later it ends the session, since either the client or a thief is then holding a stale copy.
    """

    async def work(unit: UnitOfWork) -> TokenResponse | _Reused:
        return await _exchange(ctx, unit, token)

    try:
        # The token itself is the right to all that it leads to.
        with everyone():
            outcome = await ctx.database.run(work)
    except Unauthenticated:
        refreshes.labels("refused").inc()
        raise
    if isinstance(outcome, _Reused):
        refreshes.labels("reused").inc()
        log.warning("session.refresh_token_reused", session_id=str(outcome.session_id), user_id=str(outcome.user_id))
        await announce(ctx, [outcome.session_id])
        raise errors.refresh_token_invalid()
    return outcome


async def _exchange(ctx: AuthContext, unit: UnitOfWork, token: str) -> TokenResponse | _Reused:
    now = unit.clock.now()
    found = await repository.lock_token(unit.session, ctx.refresh_tokens.digest(token))
    if found is None:
        raise errors.refresh_token_invalid()
    presented, login = found
    if login.ended_at is not None or login.expires_at <= now:
        raise errors.refresh_token_invalid()
    if presented.used_at is not None and now - presented.used_at > REUSE_GRACE:
        login.ended_at, login.end_reason, login.announced_at = now, EndReason.TOKEN_REUSED.value, None
        audit.record(ctx.cipher, unit, AuditAction.REFRESH_TOKEN_REUSED, actor=None, subject_id=login.id)
        return _Reused(login.id, login.user_id)
    if presented.expires_at <= now:
        raise errors.refresh_token_invalid()
    user = await users.find(unit.session, login.user_id)
    if user is None:
        raise errors.refresh_token_invalid()
    successor = ctx.refresh_tokens.successor(token)
    if presented.used_at is not None:
        refreshes.labels("repeated").inc()
        return await _tokens(ctx, unit, user, login, successor)
    presented.used_at = now
    refreshes.labels("rotated").inc()
    return await _grant(ctx, unit, user, login, successor)


async def log_out(ctx: AuthContext, caller: Principal) -> None:
    """End the caller's session. Doing it again changes nothing."""

    async def work(unit: UnitOfWork) -> None:
        await _end(ctx, unit, caller, caller.session_id, EndReason.LOGOUT)

    await ctx.database.run(work)
    await announce(ctx, [caller.session_id])


async def log_out_everywhere(ctx: AuthContext, caller: Principal) -> None:
    """End every session of the caller, this one included."""

    async def work(unit: UnitOfWork) -> set[UUID]:
        ended = await end_all(ctx, unit, caller.user_id, EndReason.LOGOUT_ALL, actor=caller)
        return {*ended, caller.session_id}

    await announce(ctx, await ctx.database.run(work))


async def list_page(ctx: AuthContext, caller: Principal, params: PageParams) -> Page[SessionResponse]:
    """The caller's living sessions, newest first."""
    now = ctx.clock.now()
    async with ctx.database.read() as session:
        result = await repository.page(session, params, caller.user_id, now=now, used_after=now - REFRESH_LIFETIME)
    return as_page(result, lambda row: _present(ctx, row.UserSession, caller))


async def remove(ctx: AuthContext, caller: Principal, session_id: UUID) -> None:
    """End one session of the caller. Raises NotFound for another's, and for one that has ended."""

    async def work(unit: UnitOfWork) -> None:
        if not await _end(ctx, unit, caller, session_id, EndReason.REMOVED):
            raise errors.session_not_found()

    await ctx.database.run(work)
    await announce(ctx, [session_id])


async def end_all(
    ctx: AuthContext,
    unit: UnitOfWork,
    user_id: UUID,
    reason: EndReason,
    *,
    actor: Principal | None,
    but: UUID | None = None,
) -> Sequence[UUID]:
    """End a user's sessions, but for one, in the caller's transaction. Those returned are to be announced after it."""
    ended = await repository.end_all(unit.session, user_id, reason, unit.clock.now(), but=but)
    if ended:
        audit.record(
            ctx.cipher,
            unit,
            AuditAction.SESSIONS_ENDED,
            actor=actor,
            subject_id=user_id,
            after={"reason": reason.value, "sessions": [str(session_id) for session_id in ended]},
        )
    return ended


async def _end(ctx: AuthContext, unit: UnitOfWork, caller: Principal, session_id: UUID, reason: EndReason) -> bool:
    ended = await repository.end(unit.session, session_id, caller.user_id, reason, unit.clock.now())
    if ended:
        after = {"reason": reason.value}
        audit.record(ctx.cipher, unit, AuditAction.SESSION_ENDED, actor=caller, subject_id=session_id, after=after)
    return ended


async def is_active(ctx: AuthContext, session_id: UUID) -> bool:
    return (await state(ctx, session_id)).active


async def state(ctx: AuthContext, session_id: UUID) -> SessionState:
    """What holds of a session, whoever asks. An unknown one is not active."""
    with everyone():
        async with ctx.database.read() as session:
            found = await repository.find_alive(session, session_id, ctx.clock.now())
    if found is None:
        return SessionState(active=False)
    return SessionState(active=True, valid_from_us=microseconds(found.valid_from) if found.valid_from else 0)


async def announce_waiting(ctx: AuthContext) -> None:
    """Tell Redis of ends and bounds that it could not be told when they came about. A job, every few seconds."""
    await staleness.announce(ctx)


async def forget_old(ctx: AuthContext) -> None:
    """Delete what no refresh can use any more. A job, every hour."""
    now = ctx.clock.now()

    async def work(unit: UnitOfWork) -> None:
        await repository.forget(
            unit.session, tokens_before=now - _KEEP_EXPIRED_TOKENS, sessions_before=now - _KEEP_ENDED
        )

    await ctx.database.run(work)


async def announce(ctx: AuthContext, session_ids: Collection[UUID]) -> None:
    """Tell the gateway at once of sessions whose end has been committed."""
    if not session_ids or not await ctx.session_states.end(session_ids):
        return
    now = ctx.clock.now()

    async def work(unit: UnitOfWork) -> None:
        await repository.mark_announced(unit.session, session_ids, now)

    with everyone():
        await ctx.database.run(work)


async def _grant(ctx: AuthContext, unit: UnitOfWork, user: User, login: UserSession, token: str) -> TokenResponse:
    now = unit.clock.now()
    unit.session.add(
        RefreshToken(
            id=new_id(),
            session_id=login.id,
            digest=ctx.refresh_tokens.digest(token),
            created_at=now,
            expires_at=_expiry(login, now),
        )
    )
    return await _tokens(ctx, unit, user, login, token)


async def _tokens(ctx: AuthContext, unit: UnitOfWork, user: User, login: UserSession, token: str) -> TokenResponse:
    # The session is locked: what a token says is read after any change that the bound of the session stands for.
    memberships = await members.of_user(unit.session, user.id, limit=_MEMBERSHIPS)
    principal = Principal(user.id, login.id, Role(user.role), user.kyc_level, claimable(memberships))
    login.used_at = staleness.moment_of_issue(unit.clock.now(), login.valid_from)
    return TokenResponse(
        access_token=ctx.access_tokens.issue(principal, at=login.used_at),
        refresh_token=token,
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
        user=present(ctx.cipher, user),
    )


def _expiry(login: UserSession, now: datetime) -> datetime:
    return min(now + REFRESH_LIFETIME, login.expires_at)


def _sealed_address(ctx: AuthContext, session_id: UUID) -> str | None:
    address = current_origin().address
    return seal(ctx.cipher, UserSession.__tablename__, "address", session_id, address) if address else None


def _present(ctx: AuthContext, login: UserSession, caller: Principal) -> SessionResponse:
    return SessionResponse(
        id=login.id,
        device=login.device,
        address=reveal(ctx.cipher, login, "address"),
        created_at=login.created_at,
        last_used_at=login.used_at,
        expires_at=_expiry(login, login.used_at),
        current=login.id == caller.session_id,
    )
