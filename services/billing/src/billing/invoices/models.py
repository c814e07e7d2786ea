"""Tables of documents and their numbers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from kernel import Currency, Money
from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base
from billing.invoices.status import InvoiceStatus


class NumberSeries(Base):
    """The last number given in a series, locked while a document takes the next one, so that none is skipped."""

    __tablename__ = "number_series"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger, server_default="0")

    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number"),)


class Invoice(Base):
    """A numbered document of one sale. `content` is what is printed, encrypted, and fixed once it was gathered."""

    __tablename__ = "invoices"
    SEALED: ClassVar[frozenset[str]] = frozenset({"content"})

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    sale_id: Mapped[UUID]
    series: Mapped[str]
    number: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(server_default=InvoiceStatus.PENDING.value)
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    time_zone: Mapped[str]
    sold_at: Mapped[datetime]
    content: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    # When the document is due for (another) try. Taking it for one moves this on: the lease of whoever works on it.
    next_attempt_at: Mapped[datetime]
    worker: Mapped[UUID | None]
    failure_reason: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    issued_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    version: Mapped[Version]

    __table_args__ = (
        UniqueConstraint("business_id", "sale_id"),
        UniqueConstraint("business_id", "series", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("status IN ('PENDING', 'ISSUED', 'FAILED', 'CANCELED')", name="status"),
        CheckConstraint("status <> 'ISSUED' OR (issued_at IS NOT NULL AND content IS NOT NULL)", name="issued"),
        Index("ix_invoices_list", "business_id", text("created_at DESC"), text("id DESC")),
        Index("ix_invoices_sale_id", "sale_id"),
        Index("ix_invoices_due", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
    )

    @property
    def invoice_number(self) -> str:
        return f"{self.series}-{self.number:08d}"

    def money(self, amount: Decimal) -> Money:
        return Money.of(amount, Currency(self.currency))

    @property
    def content_place(self) -> str:
        """Binds the encrypted content to this row."""
        return f"invoices.content:{self.id}"
