"""Submissions, their documents, and uploads under way."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from kernel import Country
from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base
from auth.kyc.status import DocumentName, DocumentType, SubmissionStatus


def _one_of(column: str, values: type[Country | DocumentName | DocumentType | SubmissionStatus]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=column)


class KycSubmission(Base):
    """What a user says of who they are, and what an administrator said to it.

    LEVEL_1 has a document's type and number, LEVEL_2 a tax id. `identity_index` is the blind index of either, so that a
    reviewer sees when several accounts claim one identity.
    """

    __tablename__ = "kyc_submissions"
    __table_args__ = (
        _one_of("status", SubmissionStatus),
        _one_of("country", Country),
        _one_of("document_type", DocumentType),
        CheckConstraint("level IN (1, 2)", name="level"),
        CheckConstraint(
            "(level = 1) = (document_type IS NOT NULL) AND (level = 1) = (document_number IS NOT NULL)",
            name="identity_document",
        ),
        CheckConstraint("(level = 2) = (tax_id IS NOT NULL)", name="tax_information"),
        CheckConstraint("(status IN ('APPROVED', 'REJECTED')) = (reviewed_by IS NOT NULL)", name="reviewed_by"),
        CheckConstraint("(status = 'REJECTED') = (rejection_reason IS NOT NULL)", name="rejection_reason"),
        CheckConstraint("(status = 'PENDING') = (closed_at IS NULL)", name="closed"),
        Index("uq_kyc_submissions_open", "user_id", unique=True, postgresql_where=text("status = 'PENDING'")),
        Index("ix_kyc_submissions_list", text("created_at DESC"), text("id DESC")),
        Index("ix_kyc_submissions_status", "status", text("created_at DESC"), text("id DESC")),
        Index("ix_kyc_submissions_user_id", "user_id", text("created_at DESC"), text("id DESC")),
        Index("ix_kyc_submissions_identity_index", "identity_index"),
        Index(
            "ix_kyc_submissions_kept",
            "closed_at",
            postgresql_where=text("closed_at IS NOT NULL AND documents_deleted_at IS NULL"),
        ),
    )
    SEALED: ClassVar[frozenset[str]] = frozenset({"document_number", "tax_id", "rejection_reason"})

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    country: Mapped[str]
    document_type: Mapped[str | None]
    document_number: Mapped[str | None]
    tax_id: Mapped[str | None]
    identity_index: Mapped[bytes]
    reviewed_by: Mapped[UUID | None]
    rejection_reason: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    documents_deleted_at: Mapped[datetime | None]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class KycDocument(Base):
    """One file of a submission. Its bytes are in the object store, encrypted under the key `key_id` names."""

    __tablename__ = "kyc_documents"
    __table_args__ = (
        _one_of("name", DocumentName),
        UniqueConstraint("submission_id", "name"),
        Index("ix_kyc_documents_user_id", "user_id"),
    )

    id: Mapped[Id]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("kyc_submissions.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    key_id: Mapped[str]


class KycUpload(Base):
    """Documents on their way into the object store. The row goes with the commit of its submission, which has its id;
    one that stays behind names what a process that died has left there."""

    __tablename__ = "kyc_uploads"
    __table_args__ = (
        Index("ix_kyc_uploads_user_id", "user_id"),
        Index("ix_kyc_uploads_started_at", "started_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    started_at: Mapped[datetime]
