"""Reservations, one per sale, and their lines with the price of that moment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base
from catalog.reservations.status import ReservationStatus

_STATUSES = ", ".join(f"'{status.value}'" for status in ReservationStatus)


class Reservation(Base):
    """A released row without branch and lines is a tombstone: it refuses a Reserve that arrives after its Release."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint("status = 'RELEASED' OR (branch_id IS NOT NULL AND expires_at IS NOT NULL)", name="complete"),
        Index("ix_reservations_expires_at", "expires_at", postgresql_where=text("status = 'RESERVED'")),
    )

    sale_id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID | None]
    status: Mapped[str]
    expires_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class ReservationLine(Base):
    """`id` becomes the id of the SALE movement, so that a line cannot be sold twice. `returned`: how many of the
    quantity have come back since."""

    __tablename__ = "reservation_lines"
    __table_args__ = (
        UniqueConstraint("sale_id", "product_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("returned >= 0 AND returned <= quantity", name="returned_of_quantity"),
    )

    id: Mapped[Id]
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("reservations.sale_id"))
    business_id: Mapped[UUID]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    name: Mapped[str]
    sku: Mapped[str | None]
    unit_price: Mapped[Decimal]
    currency: Mapped[str]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
