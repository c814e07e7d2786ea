"""Users."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from chassis.auth import Role
from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base
from auth.users.languages import Language

_LIVING = text("deleted_at IS NULL")


class User(Base):
    """A person. The `_index` columns are blind indexes of the encrypted ones."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(role.value) for role in Role)})", name="role"),
        CheckConstraint("kyc_level BETWEEN 0 AND 2", name="kyc_level"),
        CheckConstraint(f"language IN ({', '.join(repr(language.value) for language in Language)})", name="language"),
        CheckConstraint("(email IS NULL) = (email_index IS NULL)", name="email_indexed"),
        Index("ix_users_list", text("created_at DESC"), text("id DESC"), postgresql_where=_LIVING),
        Index("ix_users_role", "role", text("created_at DESC"), text("id DESC"), postgresql_where=_LIVING),
        Index("uq_users_phone_index", "phone_index", unique=True, postgresql_where=_LIVING),
        Index("uq_users_email_index", "email_index", unique=True, postgresql_where=_LIVING),
    )
    SEALED: ClassVar[frozenset[str]] = frozenset({"phone", "email", "first_name", "last_name"})

    id: Mapped[Id]
    phone: Mapped[str]
    phone_index: Mapped[bytes]
    email: Mapped[str | None]
    email_index: Mapped[bytes | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    password_hash: Mapped[str]
    role: Mapped[str]
    language: Mapped[str] = mapped_column(server_default=Language.SPANISH.value)
    kyc_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    phone_verified_at: Mapped[datetime | None]
    email_verified_at: Mapped[datetime | None]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]
