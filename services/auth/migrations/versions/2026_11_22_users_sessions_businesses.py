"""Users, sessions, businesses, branches, memberships."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_identity"
down_revision = None
branch_labels = None
depends_on = None

_LIVING = sa.text("deleted_at IS NULL")


def _id() -> sa.Column[object]:
    return sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False)


def _time(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[object]:
    column_type = sa.DateTime(timezone=True)
    return sa.Column(name, column_type, nullable=nullable, server_default=sa.func.now() if default else None)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _uuid(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.UUID(as_uuid=True), nullable=False)


def _versioned() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"),
        _time("created_at", default=True),
        _time("updated_at", default=True),
        _time("deleted_at", nullable=True),
    ]


def upgrade() -> None:
    create_plumbing()
    _create_users()
    _create_sessions()
    _create_businesses()
    _create_branches()
    _create_memberships()


def _create_users() -> None:
    op.create_table(
        "users",
        _id(),
        _text("phone"),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        _text("email", nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        _text("first_name", nullable=True),
        _text("last_name", nullable=True),
        _text("password_hash"),
        _text("role"),
        sa.Column("kyc_level", sa.SmallInteger(), nullable=False, server_default="0"),
        _time("phone_verified_at", nullable=True),
        _time("email_verified_at", nullable=True),
        *_versioned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.CheckConstraint("role IN ('ADMIN', 'MERCHANT', 'EMPLOYEE', 'CUSTOMER')", name=op.f("ck_users_role")),
        sa.CheckConstraint("kyc_level BETWEEN 0 AND 2", name=op.f("ck_users_kyc_level")),
        sa.CheckConstraint("(email IS NULL) = (email_index IS NULL)", name=op.f("ck_users_email_indexed")),
    )
    for column in ("phone_index", "email_index"):
        op.create_index(f"uq_users_{column}", "users", [column], unique=True, postgresql_where=_LIVING)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        _id(),
        _uuid("user_id"),
        _text("device", nullable=True),
        _time("created_at", default=True),
        _time("used_at"),
        _time("expires_at"),
        _time("ended_at", nullable=True),
        _text("end_reason", nullable=True),
        _time("announced_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users")),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_sessions_ended")),
        sa.CheckConstraint(
            "end_reason IN ('logout', 'logout_all', 'token_reused')", name=op.f("ck_sessions_end_reason")
        ),
    )
    op.create_index(
        "ix_sessions_user_id", "sessions", ["user_id", "created_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "ix_sessions_unannounced",
        "sessions",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL AND announced_at IS NULL"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        _id(),
        _uuid("session_id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _time("created_at", default=True),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id_sessions"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("uq_refresh_tokens_digest", "refresh_tokens", ["digest"], unique=True)
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
    op.create_index("ix_refresh_tokens_expires_at", "refresh_tokens", ["expires_at"])


def _create_businesses() -> None:
    optional = ("industry", "address", "city", "state", "postal_code", "phone", "email", "website")
    op.create_table(
        "businesses",
        _id(),
        _uuid("owner_id"),
        _text("name"),
        _text("legal_name", nullable=True),
        _text("tax_id", nullable=True),
        sa.Column("tax_id_index", sa.LargeBinary(), nullable=True),
        _text("country"),
        _text("currency"),
        *(_text(name, nullable=True) for name in optional),
        _text("time_zone"),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *_versioned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_businesses")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_businesses_owner_id_users")),
        sa.CheckConstraint("country IN ('MX', 'CO', 'AR', 'CL')", name=op.f("ck_businesses_country")),
        sa.CheckConstraint("currency IN ('MXN', 'COP', 'ARS', 'CLP')", name=op.f("ck_businesses_currency")),
        sa.CheckConstraint("(tax_id IS NULL) = (tax_id_index IS NULL)", name=op.f("ck_businesses_tax_id_indexed")),
    )
    op.create_index("ix_businesses_created_at", "businesses", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_businesses_tax_id_index", "businesses", ["tax_id_index"])


def _create_branches() -> None:
    op.create_table(
        "branches",
        _id(),
        _uuid("business_id"),
        _text("name"),
        *(_text(name, nullable=True) for name in ("address", "city", "state", "postal_code", "phone")),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *_versioned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branches")),
        sa.ForeignKeyConstraint(["business_id"], ["businesses.id"], name=op.f("fk_branches_business_id_businesses")),
    )
    op.create_index(
        "ix_branches_business_id_created_at",
        "branches",
        ["business_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=_LIVING,
    )


def _create_memberships() -> None:
    branch_ids = postgresql.ARRAY(postgresql.UUID(as_uuid=True))
    op.create_table(
        "memberships",
        _id(),
        _uuid("business_id"),
        _uuid("user_id"),
        _text("role"),
        sa.Column("branch_ids", branch_ids, nullable=False, server_default=sa.text("'{}'")),
        *_versioned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.ForeignKeyConstraint(["business_id"], ["businesses.id"], name=op.f("fk_memberships_business_id_businesses")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users")),
        sa.CheckConstraint("role IN ('OWNER', 'EMPLOYEE')", name=op.f("ck_memberships_role")),
    )
    op.create_index(
        "uq_memberships_business_id_user_id",
        "memberships",
        ["business_id", "user_id"],
        unique=True,
        postgresql_where=_LIVING,
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], postgresql_where=_LIVING)


def downgrade() -> None:
    raise NotImplementedError("the first revision is undone by dropping the schema")
