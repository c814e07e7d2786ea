"""Businesses."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from kernel import Country, Currency
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base


class Business(Base):
    """A business. The legal name of a sole trader is a person's, so it is encrypted with the rest."""

    __tablename__ = "businesses"
    __table_args__ = (
        CheckConstraint(f"country IN ({', '.join(repr(country.value) for country in Country)})", name="country"),
        CheckConstraint(f"currency IN ({', '.join(repr(currency.value) for currency in Currency)})", name="currency"),
        CheckConstraint("(tax_id IS NULL) = (tax_id_index IS NULL)", name="tax_id_indexed"),
        Index("ix_businesses_created_at", text("created_at DESC"), text("id DESC")),
        Index("ix_businesses_tax_id_index", "tax_id_index"),
        Index("ix_businesses_owner_id", "owner_id", postgresql_where=text("deleted_at IS NULL")),
    )
    SEALED: ClassVar[frozenset[str]] = frozenset({"legal_name", "tax_id", "phone", "email"})

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    legal_name: Mapped[str | None]
    tax_id: Mapped[str | None]
    tax_id_index: Mapped[bytes | None]
    country: Mapped[str]
    currency: Mapped[str]
    industry: Mapped[str | None]
    address: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    website: Mapped[str | None]
    time_zone: Mapped[str]
    is_active: Mapped[bool]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]
