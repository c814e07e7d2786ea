"""Sums by the business's own days, and the marks of days whose sums are no longer those of the facts.

A mark is written in the transaction that changes a fact of its day. A day with a mark is read from the facts, any other
from here: so a report is exact whenever the job last ran.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Numeric, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base

NO_BRANCH: Final = UUID(int=0)
"""Stands for no branch in a key: of a payment that belongs to no sale."""

Count = Annotated[int, mapped_column(BigInteger)]
# A sum may have more digits than one amount.
Sum = Annotated[Decimal, mapped_column(Numeric())]


class HourlySales(Base):
    """Completed sales by the hour on the business's clock, 0 to 23."""

    __tablename__ = "hourly_sales"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[Count]
    revenue: Mapped[Sum]
    tax: Mapped[Sum]
    discount: Mapped[Sum]


class DailyFigure(Base):
    """One figure of a day: what `measure` (aggregates.sql) counts, by `key` and `detail`."""

    __tablename__ = "daily_figures"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    detail: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[Count]
    amount: Mapped[Sum]
    tax: Mapped[Sum]
    discount: Mapped[Sum]


class DailyProduct(Base):
    """What was sold of a product and what came back of it, each on its own day."""

    __tablename__ = "daily_products"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    sold: Mapped[Count]
    revenue: Mapped[Sum]
    returned: Mapped[Count]
    refunded: Mapped[Sum]


class StaleDay(Base):
    """Appended and never updated, so that no two transactions wait for each other, and a mark whose facts are not yet
    to be seen is not taken away with one whose are."""

    __tablename__ = "stale_days"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    business_id: Mapped[UUID]
    day: Mapped[date]

    __table_args__ = (Index("ix_stale_days_business_id_day", "business_id", "day"),)
