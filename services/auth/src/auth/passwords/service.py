"""Changing a password, and resetting one that was forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from chassis import tenancy
from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.schemas import Data

from auth.audit import service as audit
from auth.audit.actions import AuditAction
from auth.audit.origin import current_origin
from auth.codes import issuing
from auth.codes import repository as codes
from auth.codes.errors import code_invalid
from auth.codes.rules import Channel, Purpose
from auth.codes.schemas import CodeSentResponse
from auth.codes.service import mark_verified
from auth.context import AuthContext
from auth.passwords import errors, events
from auth.passwords.schemas import ChangeRequest, ForgotRequest, PasswordChangedResponse, ResetRequest
from auth.sealing import reveal
from auth.sessions import service as sessions
from auth.sessions.status import EndReason
from auth.throttling.limits import Guess
from auth.users import repository as users
from auth.users.errors import user_gone
from auth.users.models import User

_NEW: Final = "newPassword"
# A request about nobody writes the same rows but one, an event, which this covers.
_FORGOT_SECONDS: Final = 0.1


async def forgot(ctx: AuthContext, scope: IdempotencyScope, request: ForgotRequest) -> Answer:
    """Have a code sent to whoever this is. The answer, its time and its limits are the same when it is nobody.

    A code goes to an e-mail address only where it was verified: to whom a mistyped one belongs is anybody's guess.
    """
    answer_at = time.monotonic() + _FORGOT_SECONDS
    await ctx.throttle.count(Guess.CODE_REQUEST, "", current_origin().address)
    target_index = _target(ctx, request)
    channel = request.channel or (Channel.SMS if request.phone is not None else Channel.EMAIL)

    async def work(unit: UnitOfWork) -> Data[CodeSentResponse]:
        await codes.lock_target(unit.session, Purpose.PASSWORD_RESET, target_index)
        user = await _lock_named(unit, request, target_index)
        user_id = user.id if user is not None and _reachable(user, request, channel) else None
        # Told to nobody: it may be used up by way of the user's other address, which this one must not reveal.
        if not await issuing.has_allowance(unit, user_id):
            user_id = None
        audit.record(
            ctx.cipher,
            unit,
            AuditAction.PASSWORD_RESET_REQUESTED,
            actor=None,
            subject_id=user_id,
            after={"channel": channel.value},
        )
        return Data(data=await issuing.issue(unit, Purpose.PASSWORD_RESET, channel, target_index, user_id))

    with tenancy.everyone():
        answer = await ctx.idempotency.run(scope, work, status=202)
    await asyncio.sleep(answer_at - time.monotonic())
    return answer


async def reset(ctx: AuthContext, scope: IdempotencyScope, request: ResetRequest) -> Answer:
    """Set a new password with a code, and end every session. Raises RuleViolation, and the same one for an unknown user
    as for a wrong code."""
    ctx.password_policy.check(request.new_password, phone=request.phone, field=_NEW)
    target_index, address = _target(ctx, request), current_origin().address
    ended: Sequence[UUID] = ()
    phone = ""
    with tenancy.everyone():
        async with ctx.throttle.attempt(Guess.RESET_CODE, target_index.hex(), address) as attempt:
            code = await issuing.guess(ctx, Purpose.PASSWORD_RESET, target_index, request.code)
            if code is None:
                attempt.wrong()
            hashed = await ctx.passwords.hash(request.new_password) if code is not None else ""

            async def work(unit: UnitOfWork) -> Data[PasswordChangedResponse]:
                nonlocal ended, phone
                # Only here: a request that is sent again with its key gets its answer, though its code is used.
                if code is None or code.user_id is None:
                    raise code_invalid()
                user = await users.lock(unit.session, code.user_id)
                if user is None or not await codes.use(unit.session, code.id, unit.clock.now()):
                    raise code_invalid()
                phone = reveal(ctx.cipher, user, "phone")
                ctx.password_policy.check(request.new_password, phone=phone, field=_NEW)
                mark_verified(ctx, unit, user, Channel(code.channel), actor=None)
                ended = await _replace(ctx, unit, user, hashed, "reset", actor=None)
                return Data(data=PasswordChangedResponse(changed_at=unit.clock.now()))

            answer = await ctx.idempotency.run(scope, work, status=200)
        await sessions.announce(ctx, ended)
    if phone:
        # Whoever was kept out by wrong guesses, their own or a stranger's, comes in with the new password.
        await ctx.throttle.forgive(Guess.LOGIN, phone, address)
    return answer


async def change(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, request: ChangeRequest) -> Answer:
    """Set a new password, and end the caller's other sessions. Raises RuleViolation when the current one is wrong."""
    ctx.password_policy.check(request.new_password, phone=None, field=_NEW)
    ended: Sequence[UUID] = ()
    async with ctx.throttle.attempt(Guess.CURRENT_PASSWORD, str(caller.user_id), current_origin().address) as attempt:
        async with ctx.database.read() as session:
            user = await users.find(session, caller.user_id)
        if user is None:
            raise user_gone()
        stored = user.password_hash
        fits = await ctx.passwords.verify(request.current_password, stored)
        if not fits:
            attempt.wrong()
        elif request.new_password == request.current_password:
            raise errors.weak_password(_NEW, "must not be the current password")
        hashed = await ctx.passwords.hash(request.new_password) if fits else ""

        async def work(unit: UnitOfWork) -> Data[PasswordChangedResponse]:
            nonlocal ended
            # Only here: a request that is sent again with its key gets its answer, though its password is an old one.
            if not fits:
                raise errors.wrong_password()
            locked = await users.lock(unit.session, caller.user_id)
            if locked is None:
                raise user_gone()
            if locked.password_hash != stored:
                raise errors.wrong_password()
            ctx.password_policy.check(request.new_password, phone=reveal(ctx.cipher, locked, "phone"), field=_NEW)
            ended = await _replace(ctx, unit, locked, hashed, "change", actor=caller)
            return Data(data=PasswordChangedResponse(changed_at=unit.clock.now()))

        answer = await ctx.idempotency.run(scope, work, status=200)
    await sessions.announce(ctx, ended)
    return answer


async def _replace(
    ctx: AuthContext,
    unit: UnitOfWork,
    user: User,
    hashed: str,
    reason: Literal["change", "reset"],
    *,
    actor: Principal | None,
) -> Sequence[UUID]:
    """A new password for a user whom the caller has locked. Returns the sessions it ended: all but the actor's."""
    now = unit.clock.now()
    user.password_hash = hashed
    user.version += 1
    user.updated_at = now
    unit.publish(events.changed(user, reason, now))
    # A code that was asked for before would undo this.
    await codes.withdraw(unit.session, user.id, now, purpose=Purpose.PASSWORD_RESET)
    is_reset = reason == "reset"
    action = AuditAction.PASSWORD_RESET if is_reset else AuditAction.PASSWORD_CHANGED
    audit.record(ctx.cipher, unit, action, actor=actor, subject_id=user.id)
    return await sessions.end_all(
        ctx,
        unit,
        user.id,
        EndReason.PASSWORD_RESET if is_reset else EndReason.PASSWORD_CHANGED,
        actor=actor,
        but=actor.session_id if actor else None,
    )


def _target(ctx: AuthContext, request: ForgotRequest | ResetRequest) -> bytes:
    return ctx.phone_index(request.phone) if request.phone is not None else ctx.email_index(request.email or "")


async def _lock_named(unit: UnitOfWork, request: ForgotRequest, target_index: bytes) -> User | None:
    if request.phone is not None:
        return await users.lock_by_phone(unit.session, target_index)
    return await users.lock_by_email(unit.session, target_index)


def _reachable(user: User, request: ForgotRequest, channel: Channel) -> bool:
    if request.email is not None or channel is Channel.EMAIL:
        return user.email_verified_at is not None
    return True
