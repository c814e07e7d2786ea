"""The use cases of a business's own account at its provider: save it, look at it, go back to the platform's.

Other keys of the same account replace the keys, and payments under way are read with the new ones. Another account is
another row: payments made with the one before keep it, and it is dropped once none of them can move any more.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson
from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from kernel import new_id
from psp.account_shape import UnusableAccount
from psp.accounts import SHAPES, open_account, probe
from psp.provider import (
    OutcomeUnknown,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
)
from psp.registry import ADAPTERS
from sqlalchemy.exc import IntegrityError

from payments.accounts import errors, repository
from payments.accounts.models import Account, place
from payments.accounts.schemas import AccountPut, AccountView, Verification, view
from payments.context import PaymentsContext

log = get_logger(__name__)

# Providers repeat a webhook for days, and some sign it once.
EARLIER_KEYS: Final = timedelta(days=7)
_KEPT: Final = timedelta(days=7)
_CHECKED_AT_ONCE: Final = 20
_LAST: Final = 4
# Of a shorter one four characters would be a good part.
_LONG_ENOUGH: Final = 12
_CAPITAL: Final = re.compile(r"[A-Z]")


async def show(ctx: PaymentsContext, caller: Principal, business_id: UUID, provider: str) -> AccountView:
    """Raises NotFound, Forbidden."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    _known(provider)
    return view(business_id, provider, await _present(ctx, business_id, provider), ctx.accounts)


async def save(
    ctx: PaymentsContext, caller: Principal, business_id: UUID, provider: str, body: AccountPut
) -> AccountView:
    """Raises NotFound, Forbidden, InvalidInput (no credentials of this provider), RuleViolation (not of the country,
    refused by the provider, another account than was said), Conflict."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    _known(provider)
    business = await ctx.directory.business(business_id)
    if not any(adapter.name == provider and adapter.country is business.country for adapter in ADAPTERS):
        raise errors.of_another_country(business.country.value)
    credentials = {_as_setting(name): value for name, value in body.credentials.items()}
    now = ctx.clock.now()
    key = secrets.token_urlsafe(16)
    try:
        settings = ctx.accounts.settings_for(provider, credentials, body.environment == "LIVE", key)
        opened = open_account(ctx.clock, provider, settings)
    except UnusableAccount as error:
        raise errors.unusable(error.problems) from None
    except ProviderNotConfigured as error:
        raise errors.refused(error.code) from None
    try:
        verification = await _asked(opened)
    finally:
        await opened.close()
    identity = SHAPES[provider].identity_of(credentials)
    account_id = new_id()
    wanted = Account(
        id=account_id,
        business_id=business_id,
        provider=provider,
        key=key,
        environment=body.environment.value,
        credentials=_sealed(ctx, "credentials", account_id, credentials),
        earlier=None,
        earlier_until=None,
        shown={name: _last_four(provider, name, value) for name, value in credentials.items()},
        identity=ctx.blind_index.of(identity, column="payment_accounts.identity") if identity else None,
        verification=verification.value,
        checked_at=now,
        created_at=now,
        updated_at=now,
    )

    async def write(unit: UnitOfWork) -> Account:
        before = await repository.lock_present(unit.session, business_id, provider)
        if before is not None and _is_same(before, wanted, said=body.same_account):
            after = _with_keys_of(ctx, before, wanted, credentials)
            await repository.change(unit.session, before.id, **_differing(before, after))
            return after
        if before is not None:
            await repository.change(unit.session, before.id, replaced_at=now, updated_at=now)
        await repository.add(unit.session, wanted)
        return wanted

    try:
        saved = await ctx.database.run(write)
    except IntegrityError:
        raise errors.changed_meanwhile() from None
    log.info(
        "payment_account.saved",
        business_id=str(business_id),
        account_id=str(saved.id),
        provider=provider,
        verification=saved.verification,
    )
    return view(business_id, provider, saved, ctx.accounts)


async def remove(ctx: PaymentsContext, caller: Principal, business_id: UUID, provider: str) -> None:
    """New payments are made with the platform's account from here on; those under way keep theirs. Doing it twice
    changes nothing. Raises NotFound, Forbidden."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    _known(provider)
    now = ctx.clock.now()

    async def end(unit: UnitOfWork) -> None:
        before = await repository.lock_present(unit.session, business_id, provider)
        if before is not None:
            await repository.change(unit.session, before.id, replaced_at=now, updated_at=now)

    await ctx.database.run(end)
    log.info("payment_account.removed", business_id=str(business_id), provider=provider)


async def check_unverified(ctx: PaymentsContext) -> None:
    """Ask again about accounts whose provider was down when they were saved."""
    for account in await repository.unverified(ctx.database, _CHECKED_AT_ONCE):
        with only(account.business_id):
            await _check(ctx, account)


async def tidy(ctx: PaymentsContext) -> None:
    """Drop what no payment and no webhook needs any more."""
    now = ctx.clock.now()

    async def drop(unit: UnitOfWork) -> int:
        await repository.forget_earlier(unit.session, now)
        return await repository.drop_unneeded(unit.session, now - _KEPT)

    dropped = await ctx.database.run(drop)
    if dropped:
        log.info("payment_account.dropped", count=dropped)


async def _check(ctx: PaymentsContext, account: Account) -> None:
    try:
        verdict = await _asked(ctx.accounts.adapter(account), refusals=False)
    except ProviderNotConfigured:
        verdict = Verification.REFUSED
    if verdict is Verification.REFUSED:
        log.warning("payment_account.refused", account_id=str(account.id), provider=account.provider)

    async def write(unit: UnitOfWork) -> None:
        await repository.verified(unit.session, account, verdict.value, ctx.clock.now())

    await ctx.database.run(write)


async def _asked(provider: PaymentProvider, *, refusals: bool = True) -> Verification:
    """refusals: whether they are raised."""
    try:
        await probe(provider)
    except (ProviderNotConfigured, ProviderRejected) as error:
        if refusals:
            raise errors.refused(error.code) from None
        return Verification.REFUSED
    except (ProviderUnavailable, OutcomeUnknown):
        return Verification.UNVERIFIED
    return Verification.VERIFIED


async def _present(ctx: PaymentsContext, business_id: UUID, provider: str) -> Account | None:
    accounts = await repository.present(ctx.database, business_id)
    return next((account for account in accounts if account.provider == provider), None)


def _as_setting(name: str) -> str:
    return _CAPITAL.sub(lambda sign: f"_{sign[0].lower()}", name)


def _known(provider: str) -> None:
    if provider not in SHAPES:
        raise errors.unknown_provider()


def _is_same(before: Account, wanted: Account, *, said: bool) -> bool:
    """Whether these are other keys of the same account. Where neither its number tells nor its owner says so it counts
    as another: payments under way then keep the keys they were made with."""
    told = before.identity is not None and wanted.identity is not None
    if told and before.identity != wanted.identity:
        if said:
            raise errors.another_account()
        return False
    return (told or said) and before.environment == wanted.environment


def _with_keys_of(ctx: PaymentsContext, before: Account, wanted: Account, credentials: Mapping[str, str]) -> Account:
    earlier = ctx.accounts.credentials(before)
    return replace(
        before,
        credentials=_sealed(ctx, "credentials", before.id, credentials),
        earlier=_sealed(ctx, "earlier", before.id, earlier),
        earlier_until=wanted.updated_at + EARLIER_KEYS,
        shown=wanted.shown,
        identity=wanted.identity or before.identity,
        verification=wanted.verification,
        checked_at=wanted.checked_at,
        updated_at=wanted.updated_at,
        version=before.version + 1,
    )


def _differing(before: Account, after: Account) -> dict[str, object]:
    names = Account.__dataclass_fields__
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def _sealed(ctx: PaymentsContext, column: str, account_id: UUID, credentials: Mapping[str, str]) -> str:
    return ctx.cipher.encrypt(orjson.dumps(dict(credentials)), context=place(column, account_id))


def _last_four(provider: str, name: str, value: str) -> str:
    field = next(field for field in SHAPES[provider].fields if field.name == name)
    return value[-_LAST:] if not field.lines and len(value) >= _LONG_ENOUGH else ""
