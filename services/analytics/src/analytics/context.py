"""What routes and consumers work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.cache import Cache
from chassis.database import Database
from chassis.directory import Directory
from kernel import Clock


@dataclass(frozen=True, slots=True)
class AnalyticsContext:
    clock: Clock
    database: Database
    cache: Cache
    access: Access
    directory: Directory
