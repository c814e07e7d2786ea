"""Invitations, what a business calls its members, sessions whose tokens are stale, lists of users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_members"
down_revision = "2026_11_22_kyc"
branch_labels = None
depends_on = None

_LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    for name in ("phone", "first_name", "last_name"):
        op.add_column("memberships", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("memberships", sa.Column("phone_index", sa.LargeBinary(), nullable=True))
    op.alter_column("memberships", "user_id", existing_type=postgresql.UUID(as_uuid=True), nullable=True)
    op.create_check_constraint(
        op.f("ck_memberships_invited"),
        "memberships",
        "user_id IS NOT NULL OR (role = 'EMPLOYEE' AND phone IS NOT NULL AND phone_index IS NOT NULL)",
    )
    # Who belongs to a business already cannot be invited to it by their phone.
    op.execute("UPDATE memberships m SET phone_index = u.phone_index FROM users u WHERE u.id = m.user_id")
    op.create_index(
        "uq_memberships_business_id_phone_index",
        "memberships",
        ["business_id", "phone_index"],
        unique=True,
        postgresql_where=_LIVING,
    )
    op.create_index(
        "ix_memberships_invited",
        "memberships",
        ["phone_index"],
        postgresql_where=sa.text("user_id IS NULL AND deleted_at IS NULL"),
    )
    newest = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("ix_memberships_list", "memberships", ["business_id", *newest], postgresql_where=_LIVING)
    op.create_index("ix_users_list", "users", newest, postgresql_where=_LIVING)
    op.create_index("ix_users_role", "users", ["role", *newest], postgresql_where=_LIVING)
    op.create_index("ix_businesses_owner_id", "businesses", ["owner_id"], postgresql_where=_LIVING)
    op.drop_index("ix_sessions_unannounced", "sessions")
    op.create_index(
        "ix_sessions_unannounced",
        "sessions",
        [sa.text("greatest(ended_at, valid_from)")],
        postgresql_where=sa.text("announced_at IS NULL AND (ended_at IS NOT NULL OR valid_from IS NOT NULL)"),
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_unannounced", "sessions")
    op.create_index(
        "ix_sessions_unannounced",
        "sessions",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL AND announced_at IS NULL"),
    )
    op.drop_index("ix_businesses_owner_id", "businesses")
    op.drop_index("ix_users_role", "users")
    op.drop_index("ix_users_list", "users")
    op.drop_index("ix_memberships_list", "memberships")
    op.drop_index("ix_memberships_invited", "memberships")
    op.drop_index("uq_memberships_business_id_phone_index", "memberships")
    op.execute("DELETE FROM memberships WHERE user_id IS NULL")
    op.drop_constraint(op.f("ck_memberships_invited"), "memberships")
    op.alter_column("memberships", "user_id", existing_type=postgresql.UUID(as_uuid=True), nullable=False)
    for name in ("phone_index", "last_name", "first_name", "phone"):
        op.drop_column("memberships", name)
