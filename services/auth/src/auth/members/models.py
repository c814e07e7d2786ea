"""Memberships."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.auth import BusinessRole
from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base

_LIVING = text("deleted_at IS NULL")


class Member(Base):
    """A user's standing in a business. `branch_ids` are an employee's; an owner has all and lists none."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(role.value) for role in BusinessRole)})", name="role"),
        Index("uq_memberships_business_id_user_id", "business_id", "user_id", unique=True, postgresql_where=_LIVING),
        Index("ix_memberships_user_id", "user_id", postgresql_where=_LIVING),
    )

    id: Mapped[Id]
    business_id: Mapped[UUID] = mapped_column(ForeignKey("businesses.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    branch_ids: Mapped[list[UUID]] = mapped_column(ARRAY(PgUuid(as_uuid=True)), server_default=text("'{}'"))
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]
