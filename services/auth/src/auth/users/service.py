"""Registration and profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.auth import Principal, Role
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.schemas import Data
from chassis.tenancy import everyone
from kernel import new_id
from sqlalchemy.exc import IntegrityError

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.codes import repository as codes
from auth.codes.rules import Channel
from auth.context import AuthContext
from auth.sealing import assign, seal
from auth.sessions import service as sessions
from auth.sessions.schemas import TokenResponse
from auth.users import errors, events, repository
from auth.users.models import User
from auth.users.presentation import present
from auth.users.schemas import ProfileChange, RegisterRequest, UserResponse


async def register(ctx: AuthContext, scope: IdempotencyScope, request: RegisterRequest, device: str | None) -> Answer:
    """A merchant's account and its first session. Raises Conflict for a phone or e-mail that is taken."""
    ctx.password_policy.check(request.password, phone=request.phone)
    # Before the transaction: a quarter of a second is too long to hold a connection.
    password_hash = await ctx.passwords.hash(request.password)
    session_id = new_id()

    async def work(unit: UnitOfWork) -> Data[TokenResponse]:
        user = await add(ctx, unit, request, password_hash, role=Role.MERCHANT)
        return Data(data=await sessions.start(ctx, unit, user, session_id=session_id, device=device))

    with everyone():
        answer = await ctx.idempotency.run(scope, work)
    if not answer.replayed:
        await ctx.session_states.activate(session_id)
    return answer


async def me(ctx: AuthContext, caller: Principal) -> UserResponse:
    async with ctx.database.read() as session:
        user = await repository.find(session, caller.user_id)
    if user is None:
        raise errors.user_gone()
    return present(ctx.cipher, user)


async def change_me(ctx: AuthContext, caller: Principal, change: ProfileChange) -> UserResponse:
    """Only the fields that the client named. A new e-mail address is an unverified one."""
    values = change.model_dump(exclude_unset=True)

    async def work(unit: UnitOfWork) -> UserResponse:
        user = await repository.lock(unit.session, caller.user_id)
        if user is None:
            raise errors.user_gone()
        await write_profile(ctx, unit, caller, user, values)
        return present(ctx.cipher, user)

    return await ctx.database.run(work)


async def write_profile(
    ctx: AuthContext, unit: UnitOfWork, actor: Principal, user: User, values: Mapping[str, Any]
) -> None:
    """Write the values that differ to a user whom the caller has locked. Raises Conflict for a taken e-mail."""
    changes = assign(ctx.cipher, user, values)
    if not changes:
        return
    if "email" in changes:
        user.email_index = _email_index(ctx, values["email"])
        user.email_verified_at = None
        # Those that were sent to the address before.
        await codes.withdraw(unit.session, user.id, unit.clock.now(), channel=Channel.EMAIL)
    user.version += 1
    user.updated_at = unit.clock.now()
    await _flush(unit)
    unit.publish(events.updated(user, *changes))
    before, after = changes.before, changes.after
    action = AuditAction.USER_PROFILE_CHANGED
    record(ctx.cipher, unit, action, actor=actor, subject_id=user.id, before=before, after=after)


async def add(ctx: AuthContext, unit: UnitOfWork, request: RegisterRequest, password_hash: str, *, role: Role) -> User:
    """A new user. Raises Conflict for a phone or e-mail that is taken."""
    user_id, now = new_id(), unit.clock.now()
    values: dict[str, Any] = {
        "id": user_id,
        "phone_index": ctx.phone_index(request.phone),
        "email_index": _email_index(ctx, request.email),
        "password_hash": password_hash,
        "role": role.value,
        "created_at": now,
        "updated_at": now,
        **_sealed(ctx, user_id, request),
    }
    user = await repository.add(unit.session, values)
    if user is None and await repository.find_by_phone(unit.session, values["phone_index"]) is not None:
        raise errors.phone_taken()
    if user is None:
        raise errors.email_taken()
    unit.publish(events.registered(user))
    given = request.model_dump(include=set(User.SEALED), exclude_none=True)
    after = {"role": role.value, **given}
    record(ctx.cipher, unit, AuditAction.USER_REGISTERED, actor=None, subject_id=user_id, after=after)
    return user


def _sealed(ctx: AuthContext, user_id: UUID, request: RegisterRequest) -> dict[str, str]:
    given = request.model_dump(include=set(User.SEALED), exclude_none=True)
    return {column: seal(ctx.cipher, User.__tablename__, column, user_id, value) for column, value in given.items()}


def _email_index(ctx: AuthContext, email: str | None) -> bytes | None:
    return None if email is None else ctx.email_index(email)


async def _flush(unit: UnitOfWork) -> None:
    try:
        await unit.session.flush()
    except IntegrityError:  # the e-mail's is the only constraint that a profile can break
        raise errors.email_taken() from None
