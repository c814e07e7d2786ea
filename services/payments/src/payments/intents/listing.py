"""Lists of payments: filters as SQL, one page in one round trip, and totals that never cost a full count."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import SCOPED, Database, Statement
from chassis.http.pagination import COUNT_CAP, Cursor, PageParams, page_meta
from chassis.http.schemas import PageMeta

from payments.intents.models import Payment
from payments.intents.repository import SELECT_SQL, payment_of
from payments.intents.status import Step

# Up to here every page counts anew, which costs next to nothing; larger totals are remembered for some seconds.
_EXACT: Final = 1_000
_REMEMBERED_SECONDS: Final = 10.0
_REMEMBERED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Search:
    """What a text may stand for: part of a description, or the whole of something else."""

    words: str
    phone_index: bytes
    email_index: bytes
    identifier: UUID | None


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """businesses: None for all. until is exclusive."""

    businesses: Sequence[UUID] | None
    steps: Sequence[Step] | None = None
    method: str | None = None
    provider: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: Search | None = None

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """Conditions to be joined by AND, and their parameters but for those of the scope."""
        given: list[tuple[str, str, Any]] = []
        if self.businesses is not None and len(self.businesses) == 1:
            # By equality, so that the list's index gives the order too.
            given.append(("business_id = :business", "business", self.businesses[0]))
        elif self.businesses is not None:
            given.append(("business_id = ANY(:businesses)", "businesses", list(self.businesses)))
        if self.steps is not None:
            given.append(("status = ANY(:steps)", "steps", [step.value for step in self.steps]))
        for sql, name, value in (
            ("method = :method", "method", self.method),
            ("provider = :provider", "provider", self.provider),
            ("created_at >= :since", "since", self.since),
            ("created_at < :until", "until", self.until),
        ):
            if value is not None:
                given.append((sql, name, value))
        parameters = {name: value for _, name, value in given}
        conditions = [sql for sql, _, _ in given]
        if self.search is not None:
            conditions.append(_SEARCH_BY_ID if self.search.identifier else _SEARCH)
            parameters |= {
                "pattern": f"%{_literally(self.search.words)}%",
                "words": self.search.words,
                "phone": self.search.phone_index,
                "email": self.search.email_index,
                "identifier": self.search.identifier,
            }
        return [*conditions, SCOPED], parameters


_SEARCH: Final = (
    "(description ILIKE :pattern OR provider_ref = :words OR customer_phone_index = :phone"
    " OR customer_email_index = :email)"
)
_SEARCH_BY_ID: Final = f"({_SEARCH} OR id = :identifier OR sale_id = :identifier)"


class PaymentLists:
    """One per process, for the totals it remembers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._totals: OrderedDict[Any, tuple[float, int]] = OrderedDict()

    async def page(self, wanted: PaymentFilter, params: PageParams) -> tuple[list[Payment], PageMeta]:
        """Newest first. A total above a thousand may be some seconds old."""
        conditions, parameters = wanted.conditions()
        counted = " AND ".join(conditions)
        if params.cursor is not None:
            conditions.append("(created_at, id) < (:after_at, :after_id)")
            parameters |= {"after_at": params.cursor.created_at, "after_id": params.cursor.id}
        statement = Statement(
            f"{SELECT_SQL}, (SELECT count(*) FROM (SELECT FROM payments WHERE {counted} LIMIT {_EXACT + 1}) AS counted)"  # noqa: S608 - made of constants
            f" FROM payments WHERE {' AND '.join(conditions)}"
            f" ORDER BY created_at DESC, id DESC LIMIT {params.limit + 1} OFFSET {params.offset}"
        )
        records = await self._database.fetch(statement, parameters)
        total = int(records[0][-1]) if records else _EXACT + 1
        if total > _EXACT:
            total = await self._total(counted, parameters)
        found = [payment_of(record) for record in records[: params.limit]]
        more = len(records) > params.limit
        cursor = Cursor(found[-1].created_at, found[-1].id) if more else None
        return found, page_meta(params, total, cursor)

    async def _total(self, condition: str, parameters: dict[str, Any]) -> int:
        statement = Statement(
            f"SELECT count(*) FROM (SELECT FROM payments WHERE {condition} LIMIT {COUNT_CAP + 1}) AS counted"  # noqa: S608 - made of constants
        )
        key = (statement.sql, repr(statement.arguments(parameters)))
        known = self._totals.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        row = await self._database.fetch_row(statement, parameters)
        assert row is not None
        self._totals[key] = (time.monotonic() + _REMEMBERED_SECONDS, int(row[0]))
        self._totals.move_to_end(key)
        if len(self._totals) > _REMEMBERED:
            self._totals.popitem(last=False)
        return int(row[0])


def _literally(words: str) -> str:
    """Within a LIKE pattern."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
