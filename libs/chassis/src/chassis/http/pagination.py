"""Lists by page and limit, or by an opaque cursor, which stays fast on page 10,000."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from fastapi import Depends, Query
from kernel import InvalidInput
from sqlalchemy import Row, Select, SQLColumnExpression, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from chassis.http.schemas import Page, PageMeta

T = TypeVar("T")

COUNT_CAP = 10_000
# OFFSET reads and throws away; beyond this many rows a client uses the cursor.
MAX_OFFSET = 100_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sort key of the last row shown: rows are ordered by (created_at, id), newest first."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        raw = orjson.dumps([self.created_at.isoformat(), str(self.id)])
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def decode(cls, value: str) -> Cursor:
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            created_at, identifier = orjson.loads(raw)
            parsed = datetime.fromisoformat(created_at)
            if parsed.tzinfo is None:
                raise ValueError
            return cls(parsed, UUID(identifier))
        except (binascii.Error, ValueError, TypeError, AttributeError):
            raise InvalidInput.field("cursor", "is not a cursor this API has given out") from None


@dataclass(frozen=True, slots=True)
class PageParams:
    page: int
    limit: int
    cursor: Cursor | None

    @property
    def offset(self) -> int:
        return 0 if self.cursor else (self.page - 1) * self.limit


# Async although it awaits nothing: FastAPI would hand anything else to a thread.
async def page_params(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> PageParams:
    if (page - 1) * limit > MAX_OFFSET:
        raise InvalidInput.field("page", f"is beyond {MAX_OFFSET} rows; follow meta.nextCursor instead")
    return PageParams(page, limit, Cursor.decode(cursor) if cursor else None)


Paging = Annotated[PageParams, Depends(page_params)]


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of rows, with what the meta block needs."""

    rows: Sequence[Row[Any]]
    meta: PageMeta


async def fetch_page(
    connection: AsyncConnection | AsyncSession,
    statement: Select[Any],
    params: PageParams,
    *,
    created_at: SQLColumnExpression[Any],
    id: SQLColumnExpression[Any],
    count_cap: int = COUNT_CAP,
) -> Slice:
    """Run a filtered, unordered SELECT as one page, newest first; counts at most `count_cap` rows in the same
    round trip.

    The statement must select columns labelled like `created_at` and `id` (its entity's, for an ORM select).
    """
    counted: Select[Any] = statement.with_only_columns(literal_column("1"), maintain_column_froms=True).order_by(None)
    capped = select(func.count()).select_from(counted.limit(count_cap + 1).subquery()).scalar_subquery()
    page = statement
    if params.cursor is not None:
        page = page.where(tuple_(created_at, id) < tuple_(params.cursor.created_at, params.cursor.id))
    page = page.order_by(created_at.desc(), id.desc()).limit(params.limit + 1).offset(params.offset)
    page = page.add_columns(capped.label("page_total"), created_at.label("page_created_at"), id.label("page_id"))
    rows = (await connection.execute(page)).all()
    total = int(rows[0].page_total if rows else (await connection.execute(select(capped))).scalar_one())
    shown = rows[: params.limit]
    more = len(rows) > params.limit
    cursor = Cursor(shown[-1].page_created_at, shown[-1].page_id) if more else None
    return Slice(shown, page_meta(params, total, cursor, count_cap=count_cap))


def page_meta(params: PageParams, total: int, next_cursor: Cursor | None, *, count_cap: int = COUNT_CAP) -> PageMeta:
    bounded = min(total, count_cap)
    return PageMeta(
        total=bounded,
        page=params.page,
        limit=params.limit,
        total_pages=-(-bounded // params.limit),
        next_cursor=next_cursor.encode() if next_cursor else None,
        total_is_lower_bound=total > count_cap,
    )


def as_page(result: Slice, present: Callable[[Row[Any]], T]) -> Page[T]:
    return Page(data=[present(row) for row in result.rows], meta=result.meta)
