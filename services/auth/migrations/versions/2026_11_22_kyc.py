"""KYC submissions, their documents, and uploads under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_kyc"
down_revision = "2026_11_22_codes"
branch_labels = None
depends_on = None

_NEWEST = (sa.text("created_at DESC"), sa.text("id DESC"))


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.UUID(as_uuid=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[object]:
    column_type = sa.DateTime(timezone=True)
    return sa.Column(name, column_type, nullable=nullable, server_default=sa.func.now() if default else None)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id_users"))


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(name))


def upgrade() -> None:
    _create_submissions()
    _create_documents()
    _create_uploads()


def _create_submissions() -> None:
    op.create_table(
        "kyc_submissions",
        _uuid("id"),
        _uuid("user_id"),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        _text("status"),
        _text("country"),
        _text("document_type", nullable=True),
        _text("document_number", nullable=True),
        _text("tax_id", nullable=True),
        sa.Column("identity_index", sa.LargeBinary(), nullable=False),
        _uuid("reviewed_by", nullable=True),
        _text("rejection_reason", nullable=True),
        _time("closed_at", nullable=True),
        _time("documents_deleted_at", nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"),
        _time("created_at", default=True),
        _time("updated_at", default=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kyc_submissions")),
        _of_user("kyc_submissions"),
        _check("ck_kyc_submissions_status", "status IN ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN')"),
        _check("ck_kyc_submissions_country", "country IN ('MX', 'CO', 'AR', 'CL')"),
        _check(
            "ck_kyc_submissions_document_type",
            "document_type IN ('INE', 'CC', 'CE', 'DNI', 'RUT', 'RESIDENCE_PERMIT', 'PASSPORT')",
        ),
        _check("ck_kyc_submissions_level", "level IN (1, 2)"),
        _check(
            "ck_kyc_submissions_identity_document",
            "(level = 1) = (document_type IS NOT NULL) AND (level = 1) = (document_number IS NOT NULL)",
        ),
        _check("ck_kyc_submissions_tax_information", "(level = 2) = (tax_id IS NOT NULL)"),
        _check("ck_kyc_submissions_reviewed_by", "(status IN ('APPROVED', 'REJECTED')) = (reviewed_by IS NOT NULL)"),
        _check("ck_kyc_submissions_rejection_reason", "(status = 'REJECTED') = (rejection_reason IS NOT NULL)"),
        _check("ck_kyc_submissions_closed", "(status = 'PENDING') = (closed_at IS NULL)"),
    )
    table = "kyc_submissions"
    pending = sa.text("status = 'PENDING'")
    op.create_index("uq_kyc_submissions_open", table, ["user_id"], unique=True, postgresql_where=pending)
    op.create_index("ix_kyc_submissions_list", table, list(_NEWEST))
    op.create_index("ix_kyc_submissions_status", table, ["status", *_NEWEST])
    op.create_index("ix_kyc_submissions_user_id", table, ["user_id", *_NEWEST])
    op.create_index("ix_kyc_submissions_identity_index", table, ["identity_index"])
    kept = sa.text("closed_at IS NOT NULL AND documents_deleted_at IS NULL")
    op.create_index("ix_kyc_submissions_kept", table, ["closed_at"], postgresql_where=kept)


def _create_documents() -> None:
    op.create_table(
        "kyc_documents",
        _uuid("id"),
        _uuid("submission_id"),
        _uuid("user_id"),
        _text("name"),
        _text("content_type"),
        sa.Column("size", sa.Integer(), nullable=False),
        _text("key_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kyc_documents")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["kyc_submissions.id"], name=op.f("fk_kyc_documents_submission_id_kyc_submissions")
        ),
        _of_user("kyc_documents"),
        sa.UniqueConstraint("submission_id", "name", name=op.f("uq_kyc_documents_submission_id_name")),
        _check("ck_kyc_documents_name", "name IN ('front', 'back', 'tax')"),
    )
    op.create_index("ix_kyc_documents_user_id", "kyc_documents", ["user_id"])


def _create_uploads() -> None:
    op.create_table(
        "kyc_uploads",
        _uuid("id"),
        _uuid("user_id"),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        _time("started_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kyc_uploads")),
        _of_user("kyc_uploads"),
    )
    op.create_index("ix_kyc_uploads_user_id", "kyc_uploads", ["user_id"])
    op.create_index("ix_kyc_uploads_started_at", "kyc_uploads", ["started_at"])


def downgrade() -> None:
    for table in ("kyc_uploads", "kyc_documents", "kyc_submissions"):
        op.drop_table(table)
