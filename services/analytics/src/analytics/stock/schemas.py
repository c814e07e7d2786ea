"""Stock as a report's reader gets it. All money is in `currency`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Total


class StockTotals(ResponseModel):
    """costValue: units by what they cost, of products whose cost is known; priceValue: by what they sell for. A level
    below zero counts as none. withoutCost: products in stock of which no cost is known."""

    products: int
    units: int
    cost_value: Total
    price_value: Total
    without_cost: int


class BranchStock(StockTotals):
    branch_id: UUID


class MovementFigures(ResponseModel):
    """units: signed. type: IN, OUT, ADJUSTMENT, TRANSFER, SALE or RETURN."""

    type: str
    movements: int
    units: int


class StockReport(ResponseModel):
    """totals and byBranch are as of now; movements are of the days from `from` to `to`."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    totals: StockTotals
    by_branch: list[BranchStock]
    movements: list[MovementFigures]
    generated_at: UtcDatetime
