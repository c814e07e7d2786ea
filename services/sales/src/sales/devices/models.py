"""Tables of tills."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.database.base import Id
from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from sales.base import Base


class Device(Base):
    """A till that numbers its sales from 1, as far as its numbers are known here.

    name: what the till calls itself, unique in its business. highest: the highest number that is known to be given out.
    missing: the numbers up to there whose sales have not come in. sales: how many have. repeated: how many of them came
    under a number that was not missing: a till that began to count anew. cash_session_id: the drawer of its last sale.
    """

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint("highest >= 0 AND sales >= 0 AND repeated >= 0", name="counts"),
        Index("uq_devices_business_id_name", "business_id", "name", unique=True),
        Index("ix_devices_business", "business_id", text("created_at DESC"), text("id DESC")),
        # What a closing asks for.
        Index(
            "ix_devices_cash_session_missing",
            "cash_session_id",
            postgresql_where=text("cash_session_id IS NOT NULL AND NOT isempty(missing)"),
        ),
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    name: Mapped[str]
    cash_session_id: Mapped[UUID | None]
    highest: Mapped[int] = mapped_column(BigInteger)
    missing: Mapped[list[Range[int]]] = mapped_column(INT8MULTIRANGE)
    sales: Mapped[int]
    repeated: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
