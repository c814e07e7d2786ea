"""Facts: what the reports are computed from. A `…_day` is the day in the business's time zone at that time.

Of a sale, a payment or an invoice several events tell, late, twice or out of order. Their columns are of two kinds, so
that every order of arrival ends in the same row: snapshots, which the event with the highest version decides, and
milestones (instants and days), which the one event that knows them fills.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from chassis.database.base import Id
from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base

AggregateVersion = Annotated[int, mapped_column(BigInteger)]


class SaleFact(Base):
    """Once completed, a sale stays completed; one that was canceled may be completed by money that came late."""

    __tablename__ = "sale_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    status: Mapped[str]
    payment_method: Mapped[str]
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    cancel_reason: Mapped[str | None]
    time_zone: Mapped[str]
    created_at: Mapped[datetime]
    created_day: Mapped[date]
    completed_at: Mapped[datetime | None]
    completed_day: Mapped[date | None]
    completed_hour: Mapped[int | None] = mapped_column(SmallInteger)
    canceled_at: Mapped[datetime | None]
    canceled_day: Mapped[date | None]

    __table_args__ = (
        # Holds all that is summed, so that a report reads nothing but its stretch of this index.
        Index(
            "ix_sale_facts_business_id_completed_day",
            "business_id",
            "completed_day",
            postgresql_include=["currency", "branch_id", "payment_method", "total", "tax", "discount"],
            postgresql_where=text("completed_day IS NOT NULL"),
        ),
        Index(
            "ix_sale_facts_business_id_canceled_day",
            "business_id",
            "canceled_day",
            postgresql_where=text("canceled_day IS NOT NULL"),
        ),
    )


class SaleLineFact(Base):
    """The lines of a completed sale, numbered from 0. Kept because the event that names them is not."""

    __tablename__ = "sale_line_facts"

    sale_id: Mapped[UUID] = mapped_column(ForeignKey("sale_facts.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    currency: Mapped[str]
    completed_day: Mapped[date]
    product_id: Mapped[UUID]
    name: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]

    __table_args__ = (Index("ix_sale_line_facts_business_id_completed_day", "business_id", "completed_day"),)


class SalePartFact(Base):
    """How a completed sale was paid: one row per way, numbered from 0. Together they are its total and its rounding.

    An event from before sales could be split names no parts: then all of it was paid by the sale's method.
    """

    __tablename__ = "sale_part_facts"

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    currency: Mapped[str]
    completed_day: Mapped[date]
    method: Mapped[str]
    amount: Mapped[Decimal]

    __table_args__ = (Index("ix_sale_part_facts_business_id_completed_day", "business_id", "completed_day"),)


class SaleRefundFact(Base):
    """What was given back of a sale, in cash or by a provider: decided once, never changes."""

    __tablename__ = "sale_refund_facts"

    id: Mapped[Id]
    sale_id: Mapped[UUID]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    tax: Mapped[Decimal]
    refunded_at: Mapped[datetime]
    refunded_day: Mapped[date]

    __table_args__ = (Index("ix_sale_refund_facts_business_id_refunded_day", "business_id", "refunded_day"),)


class SaleRefundPartFact(Base):
    __tablename__ = "sale_refund_part_facts"

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    currency: Mapped[str]
    refunded_day: Mapped[date]
    method: Mapped[str]
    amount: Mapped[Decimal]

    __table_args__ = (Index("ix_sale_refund_part_facts_business_id_refunded_day", "business_id", "refunded_day"),)


class SaleRefundLineFact(Base):
    """amount: given back for it, tax included. restocked: whether it can be sold again."""

    __tablename__ = "sale_refund_line_facts"

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    currency: Mapped[str]
    refunded_day: Mapped[date]
    product_id: Mapped[UUID]
    name: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal]
    restocked: Mapped[bool]

    __table_args__ = (Index("ix_sale_refund_line_facts_business_id_refunded_day", "business_id", "refunded_day"),)


class CashSessionFact(Base):
    """A drawer that was closed. difference: counted minus expected, negative where cash is missing."""

    __tablename__ = "cash_session_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    register_id: Mapped[UUID]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    register_name: Mapped[str]
    business_day: Mapped[date]
    currency: Mapped[str]
    opening_cash: Mapped[Decimal]
    expected_cash: Mapped[Decimal]
    closing_cash: Mapped[Decimal]
    difference: Mapped[Decimal]
    needs_approval: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime]

    __table_args__ = (Index("ix_cash_session_facts_business_id_business_day", "business_id", "business_day"),)


class PaymentFact(Base):
    """A payment belongs to the branch of its sale, and one without a sale to no branch."""

    __tablename__ = "payment_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    business_id: Mapped[UUID]
    sale_id: Mapped[UUID | None]
    status: Mapped[str]
    method: Mapped[str]
    provider: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    failure_reason: Mapped[str | None]
    time_zone: Mapped[str]
    created_at: Mapped[datetime]
    created_day: Mapped[date]
    confirmed_at: Mapped[datetime | None]
    confirmed_day: Mapped[date | None]
    failed_at: Mapped[datetime | None]
    failed_day: Mapped[date | None]

    __table_args__ = (
        Index("ix_payment_facts_business_id_created_day", "business_id", "created_day"),
        Index("ix_payment_facts_sale_id", "sale_id", postgresql_where=text("sale_id IS NOT NULL")),
        Index(
            "ix_payment_facts_business_id_confirmed_day",
            "business_id",
            "confirmed_day",
            postgresql_where=text("confirmed_day IS NOT NULL"),
        ),
        Index(
            "ix_payment_facts_business_id_failed_day",
            "business_id",
            "failed_day",
            postgresql_where=text("failed_day IS NOT NULL"),
        ),
    )


class RefundFact(Base):
    """Money given back for good: never changes."""

    __tablename__ = "refund_facts"

    id: Mapped[Id]
    payment_id: Mapped[UUID]
    business_id: Mapped[UUID]
    sale_id: Mapped[UUID | None]
    method: Mapped[str]
    provider: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    refunded_at: Mapped[datetime]
    refunded_day: Mapped[date]

    __table_args__ = (
        Index("ix_refund_facts_business_id_refunded_day", "business_id", "refunded_day"),
        Index("ix_refund_facts_sale_id", "sale_id", postgresql_where=text("sale_id IS NOT NULL")),
    )


class StockFact(Base):
    """One movement of one stock level, which its version names: never changes. change: signed, in units on hand."""

    __tablename__ = "stock_facts"

    stock_level_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    product_id: Mapped[UUID]
    sale_id: Mapped[UUID | None]
    movement_type: Mapped[str]
    change: Mapped[int] = mapped_column(BigInteger)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]

    __table_args__ = (Index("ix_stock_facts_business_id_occurred_at", "business_id", "occurred_at"),)


class StockLevelFact(Base):
    """How much of a product is at a branch now: the movement with the highest version says it."""

    __tablename__ = "stock_level_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    product_id: Mapped[UUID]
    on_hand: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_stock_level_facts_business_id", "business_id"),)


class ProductFact(Base):
    """A product as it is now. cost: what one unit costs the shop, NULL where nobody has said it."""

    __tablename__ = "product_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    business_id: Mapped[UUID]
    name: Mapped[str]
    sku: Mapped[str | None]
    category: Mapped[str | None]
    currency: Mapped[str]
    price: Mapped[Decimal]
    cost: Mapped[Decimal | None]
    is_deleted: Mapped[bool]

    __table_args__ = (Index("ix_product_facts_business_id", "business_id"),)


class InvoiceFact(Base):
    __tablename__ = "invoice_facts"

    id: Mapped[Id]
    version: Mapped[AggregateVersion]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    sale_id: Mapped[UUID]
    kind: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal]
    issued_at: Mapped[datetime]
    issued_day: Mapped[date]

    __table_args__ = (Index("ix_invoice_facts_business_id_issued_day", "business_id", "issued_day"),)
