"""What sells best, as a report's reader gets it. All money is in `currency` and includes tax."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Total


class Ranking(StrEnum):
    REVENUE = "revenue"
    UNITS = "units"


class ProductFigures(ResponseModel):
    """name: as it was sold. returned and refunded: of refunds by items, whenever those were sold. share: of the
    revenue of all products, in percent with two decimals."""

    product_id: UUID
    name: str
    units: int
    revenue: Total
    returned: int
    refunded: Total
    share: Total


class TopProducts(ResponseModel):
    """productsSold: how many different ones there were in all."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    by: Ranking
    products_sold: int
    products: list[ProductFigures]
    generated_at: UtcDatetime
