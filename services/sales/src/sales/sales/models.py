"""Tables of sales."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from kernel import Currency, Money
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sales.base import Base
from sales.sales.status import Step, check_move


class Sale(Base):
    """One sale, and how far its saga has come. Amounts are in `currency`, and zero until the catalogue gave prices."""

    __tablename__ = "sales"
    __table_args__ = (
        CheckConstraint(
            "status IN ('PENDING_PAYMENT', 'COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CANCELED')", name="status"
        ),
        CheckConstraint(
            "total = subtotal - discount + tax AND total >= 0 AND tax >= 0 AND discount >= 0", name="total"
        ),
        CheckConstraint(
            "(status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (completed_at IS NOT NULL)",
            name="completed_at",
        ),
        CheckConstraint("(status = 'CANCELED') = (canceled_at IS NOT NULL)", name="canceled_at"),
        CheckConstraint("refunded_amount >= 0", name="refunded_amount"),
        CheckConstraint("refund_reserved BETWEEN 0 AND total", name="refund_reserved"),
        CheckConstraint(
            "cash_amount BETWEEN 0 AND total AND cash_refunded BETWEEN 0 AND cash_amount"
            " AND cash_returned BETWEEN 0 AND cash_amount + rounding",
            name="cash",
        ),
        Index("ix_sales_business", "business_id", text("created_at DESC"), text("id DESC")),
        Index("ix_sales_branch", "business_id", "branch_id", text("created_at DESC"), text("id DESC")),
        Index(
            "uq_sales_transaction_id",
            "transaction_id",
            unique=True,
            postgresql_where=text("transaction_id IS NOT NULL"),
        ),
        Index(
            "ix_sales_cash_session",
            "business_id",
            "cash_session_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("cash_session_id IS NOT NULL"),
        ),
        Index(
            "ix_sales_cash_session_pending",
            "cash_session_id",
            postgresql_where=text("cash_session_id IS NOT NULL AND status = 'PENDING_PAYMENT'"),
        ),
        Index("ix_sales_resume_at", "resume_at", postgresql_where=text("resume_at IS NOT NULL")),
    )

    SEALED: ClassVar[frozenset[str]] = frozenset({"customer", "device"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    created_by: Mapped[UUID]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    # When the buyer left with the goods, where that was before the sale came here: a till that was offline.
    sold_at: Mapped[datetime | None]
    # Such a till, its number for the sale, what it charged, and a keyed hash of all it said: the same again is no news.
    till: Mapped[str | None]
    till_sequence: Mapped[int | None] = mapped_column(BigInteger)
    till_total: Mapped[Decimal | None]
    till_content: Mapped[bytes | None]

    # What was asked for: {"items": [{"productId", "quantity", "discount"}], "discount", "parts": {"cash", "provider"}},
    # amounts as decimal strings, a discount also as {"percent"}; parts only where the payment is split.
    basket: Mapped[dict[str, Any]]
    customer: Mapped[str | None]  # encrypted JSON: name, phone, email, taxId, document {type, number}, personType
    notes: Mapped[str | None]

    currency: Mapped[str]
    time_zone: Mapped[str]
    subtotal: Mapped[Decimal] = mapped_column(default=Decimal(0))
    discount: Mapped[Decimal] = mapped_column(default=Decimal(0))
    tax: Mapped[Decimal] = mapped_column(default=Decimal(0))
    total: Mapped[Decimal] = mapped_column(default=Decimal(0))

    # The provider's where the payment is split: cash_amount says how much of total is paid in cash.
    payment_method: Mapped[str]
    cash_amount: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    # What cash rounding adds to cash_amount: cash_amount + rounding is handed over.
    rounding: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    # The drawer that was open at the branch when the sale began.
    cash_session_id: Mapped[UUID | None]
    tendered: Mapped[Decimal | None]
    change: Mapped[Decimal | None]
    expires_in: Mapped[int | None]
    transaction_id: Mapped[UUID | None]
    payment_status: Mapped[str | None]
    # {"qrCodeUrl", "paymentLink", "transfer": {"clabe", "reference", "bank"}}
    payment_details: Mapped[dict[str, Any] | None]
    payment_expires_at: Mapped[datetime | None]
    payment_confirmed_at: Mapped[datetime | None]
    payment_version: Mapped[int] = mapped_column(default=0)
    payment_note: Mapped[str | None]
    # What payments asks of a buyer's bank transfer, and the level of the seller's token (None: an administrator's).
    bank_code: Mapped[str | None]
    device: Mapped[str | None]  # encrypted JSON: ipAddress, userAgent, sessionId, cookie
    kyc_level: Mapped[int | None] = mapped_column(SmallInteger)

    # Given back for good: of a sold sale by its refunds, of a canceled one by the provider alone.
    refunded_amount: Mapped[Decimal] = mapped_column(default=Decimal(0))
    # With what is on its way; its cash part, and what is handed over for that.
    refund_reserved: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    cash_refunded: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    cash_returned: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")

    completed_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]

    step: Mapped[str]
    # From then on anyone may carry the sale on; NULL when nothing is left to do.
    resume_at: Mapped[datetime | None]
    resume_attempts: Mapped[int] = mapped_column(default=0)
    # The request that still waits for its answer under an Idempotency-Key.
    idempotency_route: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    idempotency_owner: Mapped[UUID | None]

    items: Mapped[list[SaleItem]] = relationship(
        order_by="SaleItem.position", lazy="raise_on_sql", cascade="save-update, merge"
    )

    @property
    def provider_amount(self) -> Decimal:
        """What is paid otherwise than in cash."""
        return self.total - self.cash_amount

    @property
    def cash_paid(self) -> Decimal:
        """What is handed over in cash, as coins allow it."""
        return self.cash_amount + self.rounding

    def money(self, amount: Decimal) -> Money:
        return Money.of(amount, Currency(self.currency))

    def move(self, step: Step) -> None:
        """Raises IllegalMove."""
        check_move(Step(self.step), step)
        self.step = step


class SaleItem(Base):
    """A line, with name, price and rate as they were at that moment."""

    __tablename__ = "sale_items"
    __table_args__ = (
        UniqueConstraint("sale_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("total = unit_price * quantity - discount AND discount >= 0 AND total >= 0", name="total"),
        CheckConstraint("tax BETWEEN 0 AND total", name="tax"),
        CheckConstraint(
            "refunded_quantity BETWEEN 0 AND quantity AND refunded_amount BETWEEN 0 AND total"
            " AND refunded_tax BETWEEN 0 AND tax",
            name="refunded",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("sales.id"))
    business_id: Mapped[UUID]
    position: Mapped[int]
    product_id: Mapped[UUID]
    name: Mapped[str]
    sku: Mapped[str | None]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(6, 5))
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    # Refunds, with those on their way.
    refunded_quantity: Mapped[int] = mapped_column(default=0, server_default="0")
    refunded_amount: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    refunded_tax: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
