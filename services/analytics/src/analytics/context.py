"""What routes and consumers work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.cache import Cache
from chassis.database import Database
from chassis.directory import Directory
from kernel import Clock

from analytics.facts.batches import Batches
from analytics.facts.service import Told


@dataclass(frozen=True, slots=True)
class AnalyticsContext:
    clock: Clock
    database: Database
    cache: Cache
    access: Access
    directory: Directory
    batches: Batches[Told]
