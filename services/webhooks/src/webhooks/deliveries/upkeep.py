"""How far behind deliveries are, and an end to old ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from chassis.database import Database
from chassis.runtime.jobs import Job
from kernel import Clock
from prometheus_client import Gauge

from webhooks.deliveries import claiming, repository
from webhooks.deliveries.claiming import LANES
from webhooks.deliveries.service import KEPT_DAYS

_OLDEST = Gauge(
    "cobro_webhook_deliveries_oldest_due_seconds",
    "How long the delivery that has waited longest for its turn has waited",
    ["lane"],
)
_BATCH: Final = 2000


class Upkeep:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def jobs(self) -> Sequence[Job]:
        return (
            Job("deliveries-measure", 15, self.measure, exclusive=False),
            Job("deliveries-retention", 60, self.sweep),
        )

    async def measure(self) -> None:
        async with self._database.read() as session:
            oldest = await claiming.oldest_due(session, self._clock.now())
        for lane in LANES:
            _OLDEST.labels(lane.name).set(oldest.get(lane.is_troubled, 0.0))

    async def sweep(self) -> int:
        """Deliveries older than they are kept go, in batches; returns how many."""
        before, gone = self._clock.now() - timedelta(days=KEPT_DAYS), 0
        while True:
            async with self._database.transaction() as unit:
                deleted = await repository.delete_old(unit.session, before, _BATCH)
            gone += deleted
            if deleted < _BATCH:
                return gone
