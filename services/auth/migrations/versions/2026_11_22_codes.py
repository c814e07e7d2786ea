"""One-time codes, a user's language, and the moment from which a session's tokens count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_codes"
down_revision = "2026_11_22_audit_log"
branch_labels = None
depends_on = None

_ALIVE = sa.text("ended_at IS NULL")
_LIVING = sa.text("used_at IS NULL AND replaced_at IS NULL")
_OLD_REASONS = ("logout", "logout_all", "token_reused")
_NEW_REASONS = ("removed", "password_changed", "password_reset", "user_deleted", "role_changed")


def upgrade() -> None:
    _create_codes()
    op.add_column("users", sa.Column("language", sa.Text(), nullable=False, server_default="es"))
    op.create_check_constraint(op.f("ck_users_language"), "users", "language IN ('es', 'pt', 'en')")
    op.add_column("sessions", sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("address", sa.Text(), nullable=True))
    _limit_end_reasons((*_OLD_REASONS, *_NEW_REASONS))
    op.drop_index("ix_sessions_user_id", "sessions")
    newest = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("ix_sessions_user_id", "sessions", ["user_id", *newest], postgresql_where=_ALIVE)


def _create_codes() -> None:
    uuid = postgresql.UUID(as_uuid=True)
    time = sa.DateTime(timezone=True)
    op.create_table(
        "one_time_codes",
        sa.Column("id", uuid, nullable=False),
        sa.Column("user_id", uuid, nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target_index", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", time, nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", time, nullable=False),
        sa.Column("used_at", time, nullable=True),
        sa.Column("replaced_at", time, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_codes_user_id_users")),
        sa.CheckConstraint("purpose IN ('verification', 'password_reset')", name=op.f("ck_one_time_codes_purpose")),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_one_time_codes_channel")),
        sa.CheckConstraint("attempts BETWEEN 0 AND 5", name=op.f("ck_one_time_codes_attempts")),
        sa.CheckConstraint("used_at IS NULL OR user_id IS NOT NULL", name=op.f("ck_one_time_codes_used")),
    )
    op.create_index(
        "uq_one_time_codes_target_index",
        "one_time_codes",
        ["target_index", "purpose"],
        unique=True,
        postgresql_where=_LIVING,
    )
    op.create_index(
        "uq_one_time_codes_user_id",
        "one_time_codes",
        ["user_id", "purpose", "channel"],
        unique=True,
        postgresql_where=_LIVING,
    )
    op.create_index("ix_one_time_codes_target_index_created_at", "one_time_codes", ["target_index", "created_at"])
    op.create_index("ix_one_time_codes_user_id_created_at", "one_time_codes", ["user_id", "created_at"])
    op.create_index("ix_one_time_codes_expires_at", "one_time_codes", ["expires_at"])


def _limit_end_reasons(reasons: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_sessions_end_reason"), "sessions")
    op.create_check_constraint(
        op.f("ck_sessions_end_reason"), "sessions", f"end_reason IN ({', '.join(map(repr, reasons))})"
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_user_id", "sessions")
    op.create_index("ix_sessions_user_id", "sessions", ["user_id", "created_at"], postgresql_where=_ALIVE)
    _limit_end_reasons(_OLD_REASONS)
    op.drop_column("sessions", "address")
    op.drop_column("sessions", "valid_from")
    op.drop_column("users", "language")
    op.drop_table("one_time_codes")
