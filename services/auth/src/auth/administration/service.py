"""Finding, changing, promoting and deleting users."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from chassis.auth import Principal, Role
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Page

from auth.administration import errors, repository
from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.context import AuthContext
from auth.fields import normalize_phone
from auth.members import repository as members_repository
from auth.members import service as members
from auth.sessions import repository as sessions
from auth.sessions import staleness
from auth.sessions.status import EndReason
from auth.users import events
from auth.users import repository as users
from auth.users.models import User
from auth.users.presentation import present
from auth.users.schemas import KycLevel, ProfileChange, RegisterRequest, UserResponse
from auth.users.service import add, write_profile


async def list_page(
    ctx: AuthContext,
    caller: Principal,
    params: PageParams,
    *,
    q: str | None,
    role: Role | None,
    kyc_level: KycLevel | None,
) -> Page[UserResponse]:
    """q: a whole phone or e-mail address; parts of what is encrypted cannot be searched."""
    require_admin(caller)
    level = None if kyc_level is None else list(KycLevel).index(kyc_level)
    found_by = None if q is None else _indexes(ctx, q)
    async with ctx.database.read() as session:
        result = await repository.page(session, params, found_by=found_by, role=role, kyc_level=level)
    return as_page(result, lambda row: present(ctx.cipher, row.User))


async def get(ctx: AuthContext, caller: Principal, user_id: UUID) -> UserResponse:
    require_admin(caller)
    async with ctx.database.read() as session:
        user = await users.find(session, user_id)
    if user is None:
        raise errors.user_not_found()
    return present(ctx.cipher, user)


async def change(ctx: AuthContext, caller: Principal, user_id: UUID, change: ProfileChange) -> UserResponse:
    """Only the fields that the client named. A new e-mail address is an unverified one."""
    require_admin(caller)
    values = change.model_dump(exclude_unset=True)

    async def work(unit: UnitOfWork) -> UserResponse:
        user = await users.lock(unit.session, user_id)
        if user is None:
            raise errors.user_not_found()
        await write_profile(ctx, unit, caller, user, values)
        return present(ctx.cipher, user)

    return await ctx.database.run(work)


async def set_role(ctx: AuthContext, caller: Principal, user_id: UUID, role: Role) -> UserResponse:
    """Raises Conflict where that would leave no administrator."""
    require_admin(caller)

    async def work(unit: UnitOfWork) -> UserResponse:
        if role is not Role.ADMIN:
            await _keep_an_admin(unit, user_id)
        user = await users.lock(unit.session, user_id)
        if user is None:
            raise errors.user_not_found()
        await _assign_role(ctx, unit, caller, user, role, AuditAction.USER_ROLE_CHANGED)
        return present(ctx.cipher, user)

    answer = await ctx.database.run(work)
    await staleness.announce(ctx, [user_id])
    return answer


async def delete(ctx: AuthContext, caller: Principal, user_id: UUID) -> None:
    """End the account, its sessions and its memberships at once. What was encrypted stays so; the phone is free again.

    Raises Conflict for the last administrator, and for whoever still owns a business.
    """
    require_admin(caller)

    async def work(unit: UnitOfWork) -> None:
        # Memberships before users, as everyone locks them; once the user is locked no other can be added.
        await members_repository.lock_of_user(unit.session, user_id)
        await _keep_an_admin(unit, user_id)
        user = await users.lock(unit.session, user_id)
        if user is None:
            raise errors.user_not_found()
        # Opening a business holds its owner, so that none is opened any more.
        if await repository.owns_businesses(unit.session, user_id):
            raise errors.owns_businesses()
        now = unit.clock.now()
        for member in await members_repository.lock_of_user(unit.session, user_id):
            await members.end(ctx, unit, caller, member)
        user.version += 1
        user.updated_at = user.deleted_at = now
        await sessions.end_all(unit.session, user_id, EndReason.USER_DELETED, now, but=None)
        unit.publish(events.deleted(user))
        record(
            ctx.cipher,
            unit,
            AuditAction.USER_DELETED,
            actor=caller,
            subject_id=user_id,
            before={"role": user.role, "kyc_level": user.kyc_level},
        )

    await ctx.database.run(work)
    await staleness.announce(ctx, [user_id])


async def promote(ctx: AuthContext, phone: str) -> UserResponse | None:
    """Make an existing user an administrator, by command; None where nobody has the phone.

    Raises RuleViolation while the phone is not verified: whoever registered it may be anybody.
    """

    async def work(unit: UnitOfWork) -> UserResponse | None:
        found = await users.find_by_phone(unit.session, ctx.phone_index(phone))
        user = None if found is None else await users.lock(unit.session, found.id)
        if user is None:
            return None
        if user.phone_verified_at is None:
            raise errors.phone_not_verified()
        await _assign_role(ctx, unit, None, user, Role.ADMIN, AuditAction.ADMIN_CREATED)
        return present(ctx.cipher, user)

    promoted = await ctx.database.run(work)
    if promoted is not None:
        await staleness.announce(ctx, [promoted.id])
    return promoted


async def create_admin(ctx: AuthContext, request: RegisterRequest) -> UserResponse:
    """A new administrator, by command. Raises Conflict where the phone was registered meanwhile."""
    ctx.password_policy.check(request.password, phone=request.phone)
    password_hash = await ctx.passwords.hash(request.password)

    async def work(unit: UnitOfWork) -> UserResponse:
        user = await add(ctx, unit, request, password_hash, role=Role.ADMIN)
        record(ctx.cipher, unit, AuditAction.ADMIN_CREATED, actor=None, subject_id=user.id)
        return present(ctx.cipher, user)

    return await ctx.database.run(work)


def require_admin(caller: Principal) -> None:
    if not caller.is_admin:
        raise errors.admins_only()


async def _keep_an_admin(unit: UnitOfWork, user_id: UUID) -> None:
    if list(await repository.lock_admins(unit.session)) == [user_id]:
        raise errors.last_admin()


async def _assign_role(
    ctx: AuthContext, unit: UnitOfWork, actor: Principal | None, user: User, role: Role, action: AuditAction
) -> None:
    if user.role == role:
        return
    before = user.role
    user.role = role.value
    user.version += 1
    user.updated_at = unit.clock.now()
    unit.publish(events.updated(user, "role"))
    record(
        ctx.cipher, unit, action, actor=actor, subject_id=user.id, before={"role": before}, after={"role": role.value}
    )
    await unit.session.flush()
    await staleness.outdate(unit, [user.id])


def _indexes(ctx: AuthContext, q: str) -> list[bytes]:
    indexes = [ctx.email_index(q)]
    with suppress(ValueError):
        indexes.append(ctx.phone_index(normalize_phone(q)))
    return indexes
