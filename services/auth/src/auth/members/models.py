"""Memberships and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.auth import BusinessRole
from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base

_LIVING = text("deleted_at IS NULL")
_NEWEST = (text("created_at DESC"), text("id DESC"))


class Member(Base):
    """A person's standing in a business. Without `user_id` it is an invitation that nobody has accepted yet.

    `branch_ids` are an employee's; an owner has all and lists none. Phone and names are the business's own record of
    the person: what it may know of its people does not open their accounts to it.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(role.value) for role in BusinessRole)})", name="role"),
        CheckConstraint(
            "user_id IS NOT NULL OR (role = 'EMPLOYEE' AND phone IS NOT NULL AND phone_index IS NOT NULL)",
            name="invited",
        ),
        Index("uq_memberships_business_id_user_id", "business_id", "user_id", unique=True, postgresql_where=_LIVING),
        Index(
            "uq_memberships_business_id_phone_index",
            "business_id",
            "phone_index",
            unique=True,
            postgresql_where=_LIVING,
        ),
        Index("ix_memberships_list", "business_id", *_NEWEST, postgresql_where=_LIVING),
        Index("ix_memberships_user_id", "user_id", postgresql_where=_LIVING),
        Index(
            "ix_memberships_invited",
            "phone_index",
            postgresql_where=text("user_id IS NULL AND deleted_at IS NULL"),
        ),
    )
    SEALED: ClassVar[frozenset[str]] = frozenset({"phone", "first_name", "last_name"})

    id: Mapped[Id]
    business_id: Mapped[UUID] = mapped_column(ForeignKey("businesses.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    branch_ids: Mapped[list[UUID]] = mapped_column(ARRAY(PgUuid(as_uuid=True)), server_default=text("'{}'"))
    phone: Mapped[str | None]
    phone_index: Mapped[bytes | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]
