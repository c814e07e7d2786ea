"""Tables of refunds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sales.base import Base
from sales.refunds.status import RefundStep, check_move


class Refund(Base):
    """What is given back of one sale, in its currency. Its amounts are reserved on the sale and its lines from the
    beginning; a refund that fails gives them up.

    amount: of the books, tax included. cash_amount: the part of it that goes back in cash, the rest goes through the
    provider. cash_returned: what is handed over for cash_amount, as coins allow it. created_by: None when the provider
    made it.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("origin IN ('merchant', 'provider')", name="origin"),
        CheckConstraint("status IN ('PENDING', 'SUCCEEDED', 'FAILED')", name="status"),
        CheckConstraint("(status = 'SUCCEEDED') = (completed_at IS NOT NULL)", name="completed_at"),
        CheckConstraint(
            "amount >= 0 AND tax BETWEEN 0 AND amount AND cash_amount BETWEEN 0 AND amount AND cash_returned >= 0",
            name="amounts",
        ),
        Index("ix_refunds_sale", "sale_id", text("created_at DESC"), text("id DESC")),
        Index(
            "uq_refunds_provider_refund_id",
            "provider_refund_id",
            unique=True,
            postgresql_where=text("provider_refund_id IS NOT NULL"),
        ),
        Index("ix_refunds_resume_at", "resume_at", postgresql_where=text("resume_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("sales.id"))
    origin: Mapped[str]
    created_by: Mapped[UUID | None]
    status: Mapped[str]
    step: Mapped[str]
    amount: Mapped[Decimal]
    tax: Mapped[Decimal]
    cash_amount: Mapped[Decimal]
    cash_returned: Mapped[Decimal]
    restock: Mapped[bool]
    reason: Mapped[str | None]
    # The drawer that the cash part comes out of.
    cash_session_id: Mapped[UUID | None]
    # The refund's id at payments.
    provider_refund_id: Mapped[UUID | None]
    failure_reason: Mapped[str | None]
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    # From then on anyone may carry the refund on; NULL when nothing is left to do.
    resume_at: Mapped[datetime | None]
    resume_attempts: Mapped[int] = mapped_column(default=0)

    items: Mapped[list[RefundItem]] = relationship(
        order_by="RefundItem.position", lazy="raise_on_sql", cascade="save-update, merge"
    )

    @property
    def provider_amount(self) -> Decimal:
        return self.amount - self.cash_amount

    @property
    def returns_goods(self) -> bool:
        return self.restock and any(item.quantity for item in self.items)

    def move(self, step: RefundStep) -> None:
        """Raises IllegalMove."""
        check_move(RefundStep(self.step), step)
        self.step = step


class RefundItem(Base):
    """A line's part of a refund; quantity 0 for money without goods."""

    __tablename__ = "refund_items"
    __table_args__ = (
        UniqueConstraint("refund_id", "position"),
        CheckConstraint("quantity >= 0 AND amount >= 0 AND tax BETWEEN 0 AND amount", name="amounts"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"))
    sale_item_id: Mapped[UUID] = mapped_column(ForeignKey("sale_items.id"))
    position: Mapped[int]
    quantity: Mapped[int]
    amount: Mapped[Decimal]
    tax: Mapped[Decimal]
