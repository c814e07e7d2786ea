"""What routes, RPCs, consumers and jobs of this service work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chassis.auth import Access
from chassis.cache import Cache
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from chassis.http.app import context_of
from kernel import Clock


@dataclass(frozen=True, slots=True)
class CatalogContext:
    database: Database
    clock: Clock
    access: Access
    directory: Directory
    idempotency: Idempotency
    cache: Cache


Ctx = Annotated[CatalogContext, context_of(CatalogContext)]
