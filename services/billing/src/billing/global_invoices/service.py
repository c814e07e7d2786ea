"""The job of global invoices, by one process at a time. It looks at how things stand and not at what has happened, so
that whatever died, came twice or came late is made good the next time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.database import Database
from chassis.runtime.jobs import Job
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from fiscal.document import DocumentKind, Period, Periodicity
from fiscal.registry import FiscalRegistry
from kernel import Clock, Country, Currency, Money, new_id
from sqlalchemy.ext.asyncio import AsyncSession

from billing.credits import repository as credits
from billing.credits.opening import values_of_note
from billing.global_invoices import repository
from billing.global_invoices.periods import period_of
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind
from billing.profiles.data import ProfileVault
from billing.profiles.models import FiscalProfile
from billing.transmission import repository as transmission
from billing.transmission.answers import Basis, Papers

log = get_logger(__name__)

_EVERY_SECONDS: Final = 30.0
# A sale completed at midnight is heard of a little later.
_GRACE: Final = timedelta(minutes=10)
# Each may have several rates of tax, and a document has at most 5,000 lines.
_SALES_AT_ONCE: Final = 1000
_OVERTAKEN: Final = "04"


class GlobalInvoices:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        fiscal: FiscalRegistry,
        vault: ProfileVault,
        papers: Papers,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._fiscal = fiscal
        self._vault = vault
        self._papers = papers
        self._wake = wake

    def job(self) -> Job:
        return Job("open-global-invoices", _EVERY_SECONDS, self.look)

    async def look(self) -> None:
        countries = [country.value for country in Country if self._has_global(country)]
        async with self._database.read() as session:
            found = await repository.automatic_profiles(session, countries)
        for profile in found:
            with only(profile.business_id):
                await self._look_at(profile)
        self._wake()

    def _has_global(self, country: Country) -> bool:
        if not self._fiscal.serves(country):
            return False
        return self._fiscal.provider(country).capabilities.automatic is DocumentKind.GLOBAL

    async def _look_at(self, profile: FiscalProfile) -> None:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            for global_id in await repository.overtaken(unit.session, profile.business_id):
                asked = {"cancel_motive": _OVERTAKEN, "cancel_substitution": None}
                await transmission.request_cancel(unit.session, global_id, now, asked)
            await repository.release_canceled(unit.session, profile.business_id)
            for refund, origin in await repository.refunds_to_credit(unit.session, profile.business_id, _SALES_AT_ONCE):
                values = values_of_note(origin, now, refund.amount, refund.tax)
                await credits.add_of_refund(
                    unit.session, values | {"refund_id": refund.refund_id, "for_sale_id": refund.sale_id}
                )
        while await self._open_some(profile, now):
            pass

    async def _open_some(self, profile: FiscalProfile, now: datetime) -> bool:
        """Whether there may be more."""
        data = self._vault.data(profile)
        zone = ZoneInfo(data.time_zone)
        periodicity = Periodicity(data.fields.get("globalPeriodicity") or Periodicity.DAILY)
        # Before the period that is not over yet.
        end = period_of(periodicity, (now - _GRACE).astimezone(zone).date()).first
        before = datetime.combine(end, time(), zone)
        async with self._database.transaction() as unit:
            found = await repository.uncovered(
                unit.session, profile.business_id, since=profile.created_at, before=before, limit=_SALES_AT_ONCE
            )
            groups: dict[tuple[UUID, date], list[Invoice]] = {}
            for receipt in found:
                day = period_of(periodicity, receipt.sold_at.astimezone(zone).date()).first
                groups.setdefault((receipt.branch_id, day), []).append(receipt)
            for (_, day), receipts in groups.items():
                await self._open(unit.session, receipts, period_of(periodicity, day), now)
        return len(found) == _SALES_AT_ONCE

    async def _open(self, session: AsyncSession, receipts: Sequence[Invoice], period: Period, now: datetime) -> None:
        first, global_id = receipts[0], new_id()
        refunded = await repository.cover(session, global_id, receipts)
        total = tax = Decimal(0)
        for receipt in receipts:
            left = receipt.total - refunded.get(receipt.sale_id or receipt.id, Decimal(0))
            total += left
            tax += Money.rounded(receipt.tax * left / receipt.total, Currency(receipt.currency)).decimal
        invoice = Invoice(
            id=global_id,
            business_id=first.business_id,
            branch_id=first.branch_id,
            kind=InvoiceKind.GLOBAL.value,
            basis=self._papers.seal(f"invoices.basis:{global_id}", Basis(period=period)),
            currency=first.currency,
            subtotal=total - tax,
            discount=Decimal(0),
            tax=tax,
            total=total,
            time_zone=first.time_zone,
            sold_at=receipts[-1].sold_at,
            created_at=now,
            next_attempt_at=now,
        )
        session.add(invoice)
        await session.flush()
        log.info("fiscal.global_opened", invoice_id=str(global_id), sales=len(receipts))
