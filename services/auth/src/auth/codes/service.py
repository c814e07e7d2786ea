"""Proving a phone or an e-mail address with a code; handing a code to the service that sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis import tenancy
from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.schemas import Data

from auth.audit import service as audit
from auth.audit.actions import AuditAction
from auth.audit.origin import current_origin
from auth.codes import errors, issuing, repository
from auth.codes.rules import MAX_ATTEMPTS, Channel, Purpose
from auth.codes.schemas import CodeSentResponse, ConfirmationRequest, VerificationRequest
from auth.context import AuthContext
from auth.sealing import reveal
from auth.throttling.limits import Guess
from auth.users import events as user_events
from auth.users import repository as users
from auth.users.errors import user_gone
from auth.users.models import User
from auth.users.presentation import present
from auth.users.schemas import UserResponse

_KEEP = timedelta(days=1)


async def request_verification(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, request: VerificationRequest
) -> Answer:
    """Have a code sent to the caller's phone or e-mail address."""

    async def work(unit: UnitOfWork) -> Data[CodeSentResponse]:
        target_index = _unverified(await users.lock(unit.session, caller.user_id), request.channel)
        await issuing.require_allowance(unit, caller.user_id)
        sent = await issuing.issue(unit, Purpose.VERIFICATION, request.channel, target_index, caller.user_id)
        return Data(data=sent)

    # An address may have a code of a user who was deleted since, which the new one replaces.
    with tenancy.everyone():
        return await ctx.idempotency.run(scope, work, status=202)


async def confirm(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, request: ConfirmationRequest) -> Answer:
    """Mark the caller's phone or e-mail address as theirs. Raises RuleViolation for any code but the living one."""
    async with ctx.throttle.attempt(Guess.VERIFICATION_CODE, str(caller.user_id), current_origin().address) as attempt:
        async with ctx.database.read() as session:
            user = await users.find(session, caller.user_id)
        if user is None:
            raise user_gone()
        target_index = _target(user, request.channel)
        code = None
        if target_index is not None:
            code = await issuing.guess(ctx, Purpose.VERIFICATION, target_index, request.code)
        if code is None or code.user_id != caller.user_id:
            attempt.wrong()

        async def work(unit: UnitOfWork) -> Data[UserResponse]:
            # Only here: a request that is sent again with its key gets its answer, though its code is used.
            if attempt.is_wrong or code is None:
                raise errors.code_invalid()
            locked = await users.lock(unit.session, caller.user_id)
            if locked is None:
                raise user_gone()
            if not await repository.use(unit.session, code.id, unit.clock.now()):
                raise errors.code_invalid()
            mark_verified(ctx, unit, locked, request.channel, actor=caller)
            return Data(data=present(ctx.cipher, locked))

        return await ctx.idempotency.run(scope, work, status=200)


def mark_verified(ctx: AuthContext, unit: UnitOfWork, user: User, channel: Channel, *, actor: Principal | None) -> None:
    """Whoever read a code that was sent there has shown that it is theirs. The user is locked by the caller."""
    column = "phone_verified" if channel is Channel.SMS else "email_verified"
    if getattr(user, f"{column}_at") is not None:
        return
    now = unit.clock.now()
    setattr(user, f"{column}_at", now)
    user.updated_at = now
    user.version += 1
    unit.publish(user_events.updated(user, column))
    action = AuditAction.USER_PHONE_VERIFIED if channel is Channel.SMS else AuditAction.USER_EMAIL_VERIFIED
    audit.record(ctx.cipher, unit, action, actor=actor, subject_id=user.id)


@dataclass(frozen=True, slots=True)
class SendableCode:
    """A code with all that is needed to send it. recipient: a phone in E.164 or an e-mail address."""

    code: str
    channel: Channel
    recipient: str
    purpose: Purpose
    language: str
    expires_at: datetime


async def sendable(ctx: AuthContext, code_id: UUID) -> SendableCode:
    """Raises NotFound when there is nothing left to send."""
    with tenancy.everyone():
        async with ctx.database.read() as session:
            code = await repository.find_living(session, code_id, ctx.clock.now())
            user = await users.find(session, code.user_id) if code and code.user_id else None
    if code is None or user is None or code.attempts >= MAX_ATTEMPTS:
        raise errors.code_not_found()
    channel = Channel(code.channel)
    recipient = reveal(ctx.cipher, user, "phone" if channel is Channel.SMS else "email")
    if recipient is None:
        raise errors.code_not_found()
    return SendableCode(
        code=ctx.codes.of(code.id),
        channel=channel,
        recipient=recipient,
        purpose=Purpose(code.purpose),
        language=user.language,
        expires_at=code.expires_at,
    )


async def forget_old(ctx: AuthContext) -> None:
    """Delete codes that expired a day ago. A job, every hour."""

    async def work(unit: UnitOfWork) -> None:
        await repository.forget(unit.session, before=unit.clock.now() - _KEEP)

    await ctx.database.run(work)


def _target(user: User, channel: Channel) -> bytes | None:
    return user.phone_index if channel is Channel.SMS else user.email_index


def _unverified(user: User | None, channel: Channel) -> bytes:
    """The blind index of what is to be verified, or the error that says why there is nothing to."""
    if user is None:
        raise user_gone()
    target_index = _target(user, channel)
    if target_index is None:
        raise errors.email_missing()
    if (user.phone_verified_at if channel is Channel.SMS else user.email_verified_at) is not None:
        raise errors.already_verified()
    return target_index
