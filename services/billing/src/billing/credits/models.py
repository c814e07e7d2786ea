"""The table of refunds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.database.base import CreatedAt
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base


class SaleRefund(Base):
    """A refund of a sale, whether or not there is a fiscal document to take back by now. items: `sale.refunded`'s own:
    productId, name, quantity, amount and tax as decimal strings. global_id: the global invoice that leaves it out."""

    __tablename__ = "sale_refunds"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID]
    amount: Mapped[Decimal]
    tax: Mapped[Decimal]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    refunded_at: Mapped[datetime]
    global_id: Mapped[UUID | None]
    created_at: Mapped[CreatedAt]

    __table_args__ = (Index("ix_sale_refunds_sale_id", "sale_id"),)
