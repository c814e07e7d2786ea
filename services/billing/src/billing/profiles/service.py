"""Use cases of fiscal profiles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from fiscal.errors import BadProfile, CountryNotSupported
from fiscal.profile import CheckedProfile, NumberStock, ProfileDraft
from fiscal.provider import FiscalProvider
from kernel import Country, new_id
from sqlalchemy.ext.asyncio import AsyncSession

from billing.context import BillingContext
from billing.numbering import repository as numbering
from billing.profiles import repository
from billing.profiles.data import Certificate, ProfileData
from billing.profiles.errors import bad_profile, country_not_supported, profile_not_found
from billing.profiles.models import FiscalProfile
from billing.profiles.schemas import ProfileOut, ProfilePut, decoded, profile_out
from billing.profiles.series import series_key


async def get(ctx: BillingContext, caller: Principal, business_id: UUID) -> ProfileOut:
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        profile = await repository.find(session, business_id)
        if profile is None:
            raise profile_not_found()
        return await _shown(ctx, session, profile)


async def put(ctx: BillingContext, caller: Principal, business_id: UUID, body: ProfilePut) -> ProfileOut:
    """Raises InvalidInput naming every field that the country refuses, and then keeps nothing."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    business = await ctx.directory.business(business_id)
    provider = _provider(ctx, business.country)
    today = ctx.clock.now().astimezone(ZoneInfo(business.time_zone)).date()

    async def work(unit: UnitOfWork) -> ProfileOut:
        stored = await repository.lock(unit.session, business_id)
        sent = decoded(body, provider.profile_fields)
        # The keys of one environment are not those of the other.
        same = stored is not None and stored.environment == body.environment
        secrets = {**(ctx.vault.credentials(stored) if stored is not None and same else {}), **sent}
        draft = ProfileDraft(
            tax_id=body.tax_id,
            legal_name=body.legal_name,
            regime=body.tax_regime,
            address=body.address.address(),
            environment=body.environment,
            time_zone=business.time_zone,
            fields=dict(body.fields),
            secrets=secrets,
            stock=tuple(dict(item) for item in body.numbering),
        )
        checked = await asyncio.to_thread(provider.check_profile, draft, today)
        await _add_stock(ctx, unit.session, business_id, body, checked.stock)
        profile = await repository.put(
            unit.session, _row(ctx, business_id, business.country, business.time_zone, body, checked, secrets)
        )
        return await _shown(ctx, unit.session, profile)

    try:
        return await ctx.database.run(work)
    except BadProfile as error:
        raise bad_profile(error) from None


def _provider(ctx: BillingContext, country: Country) -> FiscalProvider:
    try:
        return ctx.fiscal.provider(country)
    except CountryNotSupported:
        raise country_not_supported() from None


def _row(
    ctx: BillingContext,
    business_id: UUID,
    country: Country,
    time_zone: str,
    body: ProfilePut,
    checked: CheckedProfile,
    secrets: dict[str, bytes],
) -> dict[str, object]:
    data = ProfileData(
        tax_id=checked.tax_id,
        legal_name=body.legal_name,
        trade_name=body.trade_name,
        regime=body.tax_regime,
        address=body.address.address(),
        time_zone=time_zone,
        fields=dict(checked.fields),
        certificates=tuple(Certificate.of(info) for info in checked.certificates),
    )
    return {
        "business_id": business_id,
        "country": country.value,
        "environment": body.environment.value,
        "automatic_issue": body.automatic_issue,
        "data": ctx.vault.seal_data(business_id, data),
        "credentials": ctx.vault.seal_credentials(business_id, secrets),
        "certificates_expire_at": _earliest(info.not_after for info in checked.certificates),
    }


def _earliest(moments: Iterable[datetime]) -> datetime | None:
    return min(moments, default=None)


async def _add_stock(
    ctx: BillingContext, session: AsyncSession, business_id: UUID, body: ProfilePut, stock: tuple[NumberStock, ...]
) -> None:
    for index, item in enumerate(stock):
        series = series_key(body.environment.value, item.series)
        if not 0 < item.first <= item.last < 2**62:
            raise BadProfile.field(f"numbering.{index}", "is no range of numbers")
        if await numbering.overlapping(session, business_id, series, item.first, item.last):
            raise BadProfile.field(f"numbering.{index}", "overlaps a range that is there already")
        row_id = new_id()
        await numbering.add_range(
            session,
            {
                "id": row_id,
                "business_id": business_id,
                "series": series,
                "first": item.first,
                "last": item.last,
                "next_number": item.first,
                "authority_authorization": item.authorization,
                "valid_from": item.valid_from,
                "expires_on": item.expires_on,
                "content": ctx.vault.seal(item.content, f"number_ranges.content:{row_id}"),
            },
        )


async def _shown(ctx: BillingContext, session: AsyncSession, profile: FiscalProfile) -> ProfileOut:
    ranges = await numbering.ranges(session, profile.business_id)
    of_environment = [item for item in ranges if item[0].series.startswith(series_key(profile.environment, ""))]
    return profile_out(profile, ctx.vault.data(profile), sorted(ctx.vault.credentials(profile)), of_environment)
