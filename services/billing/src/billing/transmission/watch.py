"""What an operator must see coming: documents that wait, certificates that expire, ranges that run out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chassis.database import Database
from chassis.runtime.jobs import Job
from kernel import Clock
from prometheus_client import Gauge
from sqlalchemy import func, select

from billing.numbering.models import NumberRange
from billing.profiles.models import FiscalProfile
from billing.transmission import repository

_WAITING = Gauge("cobro_fiscal_documents_waiting", "Fiscal documents under way by state", ["state"])
_OLDEST = Gauge(
    "cobro_fiscal_oldest_waiting_seconds", "Age of the oldest fiscal document under way by state", ["state"]
)
_EXPIRING = Gauge("cobro_fiscal_certificates_expiring", "Businesses with a certificate that ends within 30 days")
_LOW = Gauge(
    "cobro_fiscal_number_series_low", "Series that are fed from ranges and have less than a tenth of them left"
)

_STATES: Final = ("new", "prepared", "submitted", "unknown", "accepted", "cancel_requested", "cancel_pending")
_SOON: Final = timedelta(days=30)
_EVERY_SECONDS: Final = 60.0


class FiscalWatch:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def job(self) -> Job:
        return Job("watch-fiscal", _EVERY_SECONDS, self.look)

    async def look(self) -> None:
        now = self._clock.now()
        left = func.sum(NumberRange.last - NumberRange.next_number + 1)
        size = func.sum(NumberRange.last - NumberRange.first + 1)
        good = (NumberRange.expires_on.is_(None)) | (NumberRange.expires_on >= now.date())
        low = (
            select(NumberRange.series)
            .where(good)
            .group_by(NumberRange.business_id, NumberRange.series)
            .having(left * 10 < size)
            .subquery()
        )
        expiring = select(func.count()).where(FiscalProfile.certificates_expire_at < now + _SOON)
        async with self._database.read() as session:
            waiting = {state: (count, oldest) for state, count, oldest in await repository.waiting(session)}
            _EXPIRING.set((await session.execute(expiring)).scalar_one())
            _LOW.set((await session.execute(select(func.count()).select_from(low))).scalar_one())
        for state in _STATES:
            count, oldest = waiting.get(state, (0, now))
            _WAITING.labels(state).set(count)
            _OLDEST.labels(state).set(max((now - oldest).total_seconds(), 0))
