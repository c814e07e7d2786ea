"""Tables of series and their numbers."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base


class NumberSeries(Base):
    """The last number given out in a series. holder: the document that is under way, where there is one at a time."""

    __tablename__ = "number_series"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger, server_default="0")
    holder: Mapped[UUID | None]

    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number"),)


class FreeNumber(Base):
    """Given out by its series and taken by no document yet."""

    __tablename__ = "free_numbers"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)

    __table_args__ = (CheckConstraint("number > 0", name="number"),)


class NumberRange(Base):
    """A run of numbers of an authority. content: the CAF, the technical key, encrypted. next_number: the first that is
    neither taken nor free."""

    __tablename__ = "number_ranges"
    SEALED: ClassVar[frozenset[str]] = frozenset({"content"})

    id: Mapped[Id]
    business_id: Mapped[UUID]
    series: Mapped[str]
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    next_number: Mapped[int] = mapped_column(BigInteger)
    authority_authorization: Mapped[str] = mapped_column(server_default="")
    valid_from: Mapped[date | None]
    expires_on: Mapped[date | None]
    content: Mapped[str]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("business_id", "series", "first"),
        CheckConstraint("first > 0 AND last >= first AND next_number BETWEEN first AND last + 1", name="bounds"),
    )

    @property
    def content_place(self) -> str:
        return f"number_ranges.content:{self.id}"
