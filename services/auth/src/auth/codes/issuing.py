"""Asking for a code, and trying one: what verification and password reset share."""

from __future__ import annotations

import math
from datetime import datetime
from uuid import UUID

from chassis.database import UnitOfWork
from kernel import new_id

from auth.codes import errors, events, repository
from auth.codes.models import OneTimeCode
from auth.codes.rules import HOUR, LIFETIME, MAX_ATTEMPTS, Channel, Purpose, next_at
from auth.codes.schemas import CodeSentResponse
from auth.context import AuthContext


async def issue(
    unit: UnitOfWork, purpose: Purpose, channel: Channel, target_index: bytes, user_id: UUID | None
) -> CodeSentResponse:
    """A new code in place of the one before. Raises RateLimited when it is asked for too soon.

    user_id: the user, locked by the caller; None writes a row that no code belongs to and that nobody is told of, and
    gives the same answer; then the caller holds the target's lock instead.
    """
    now = unit.clock.now()
    earlier = await repository.earlier(unit.session, purpose, target_index, since=now - HOUR)
    _require_past(next_at(earlier, now), now)
    await repository.replace(unit.session, purpose, target_index, user_id=user_id, channel=channel, now=now)
    code = OneTimeCode(
        id=new_id(),
        user_id=user_id,
        purpose=purpose.value,
        channel=channel.value,
        target_index=target_index,
        attempts=0,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    unit.session.add(code)
    if user_id is not None:
        unit.publish(events.requested(code, user_id))
    return CodeSentResponse(channel=channel, expires_at=code.expires_at, resend_after=next_at([now, *earlier], now))


async def require_allowance(unit: UnitOfWork, user_id: UUID) -> None:
    """Raises RateLimited when the user was sent as many codes in this hour as one user is sent, by whatever way."""
    now = unit.clock.now()
    oldest = await repository.oldest_that_counts(unit.session, user_id, since=now - HOUR)
    _require_past(now if oldest is None else oldest + HOUR, now)


async def has_allowance(unit: UnitOfWork, user_id: UUID | None) -> bool:
    """Of `require_allowance`; for None an answer that took as long."""
    return await repository.oldest_that_counts(unit.session, user_id, since=unit.clock.now() - HOUR) is None


async def guess(ctx: AuthContext, purpose: Purpose, target_index: bytes, given: str) -> OneTimeCode | None:
    """The living code that `given` is, or None. A wrong guess is on record before anyone is told that it was wrong.

    The right one is used up by whoever wins `repository.use`, in the transaction of what it is good for.
    """

    async def work(unit: UnitOfWork) -> OneTimeCode | None:
        code = await repository.lock_living(unit.session, purpose, target_index, unit.clock.now())
        if code is None or code.attempts >= MAX_ATTEMPTS:
            return None
        if code.user_id is not None and ctx.codes.fits(code.id, given):
            return code
        code.attempts += 1
        return None

    return await ctx.database.run(work)


def _require_past(allowed_at: datetime, now: datetime) -> None:
    if allowed_at > now:
        raise errors.code_throttled(math.ceil((allowed_at - now).total_seconds()))
