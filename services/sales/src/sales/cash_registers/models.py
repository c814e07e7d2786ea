"""The cash_registers table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis.database.base import Id
from kernel import Money
from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sales.base import Base


class CashRegister(Base):
    """A drawer. session_id: its present session, or its last; None before the first. tolerance: what a count may differ
    by without the owner's approval, in `currency`; None stands for the country's. `version` numbers its events."""

    __tablename__ = "cash_registers"
    __table_args__ = (
        CheckConstraint("tolerance >= 0", name="tolerance"),
        Index(
            "uq_cash_registers_branch_id_name",
            "branch_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_cash_registers_business",
            "business_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    name: Mapped[str]
    currency: Mapped[str]
    tolerance: Mapped[Decimal | None]
    session_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    def money(self, amount: Decimal) -> Money:
        return Money.of(amount, self.currency)
