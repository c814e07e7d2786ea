"""The table of fiscal profiles."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Version
from sqlalchemy import CheckConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base


class FiscalProfile(Base):
    """data: what may be shown, as JSON. credentials: secrets by name, base64 in JSON. Both encrypted."""

    __tablename__ = "fiscal_profiles"
    SEALED: ClassVar[frozenset[str]] = frozenset({"credentials", "data"})

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str]
    environment: Mapped[str]
    automatic_issue: Mapped[bool]
    data: Mapped[str]
    credentials: Mapped[str]
    certificates_expire_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[Version]

    __table_args__ = (CheckConstraint("environment IN ('TEST', 'PRODUCTION')", name="environment"),)


def place(column: str, business_id: UUID) -> str:
    """Binds an encrypted column to its row."""
    return f"fiscal_profiles.{column}:{business_id}"
