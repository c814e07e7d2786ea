"""What every report is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from analytics.period import MAX_DAYS, CalendarDay


@dataclass(frozen=True, slots=True)
class ReportQuery:
    business_id: UUID
    branch_id: UUID | None
    first: date | None
    last: date | None
    fresh: bool


async def _report_query(
    business_id: Annotated[UUID, Query(alias="businessId")],
    branch_id: Annotated[UUID | None, Query(alias="branchId", description="Default: all the caller may see")] = None,
    first: Annotated[
        CalendarDay | None, Query(alias="from", description="First day, in the business's time zone. Default: today")
    ] = None,
    last: Annotated[
        CalendarDay | None, Query(alias="to", description=f"Last day, included; at most {MAX_DAYS} days in all")
    ] = None,
    fresh: Annotated[bool, Query(description="Compute now, whatever is cached")] = False,
) -> ReportQuery:
    return ReportQuery(business_id, branch_id, first, last, fresh)


Asked = Annotated[ReportQuery, Depends(_report_query)]
