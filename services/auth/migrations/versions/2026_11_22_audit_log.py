"""The audit log, which takes new entries and changes none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_audit_log"
down_revision = "2026_11_22_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    uuid = postgresql.UUID(as_uuid=True)
    op.create_table(
        "audit_entries",
        sa.Column("id", uuid, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_id", uuid, nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("session_id", uuid, nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", uuid, nullable=True),
        sa.Column("business_id", uuid, nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    newest = [sa.text("occurred_at DESC"), sa.text("id DESC")]
    op.create_index("ix_audit_entries_list", "audit_entries", newest)
    op.create_index("ix_audit_entries_business_id", "audit_entries", ["business_id", *newest])
    op.create_index("ix_audit_entries_actor_id", "audit_entries", ["actor_id", *newest])
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject_type", "subject_id", newest[0]])
    # A trigger and not a revoked privilege: provisioning grants the application role its privileges again.
    op.execute(
        """
CREATE FUNCTION audit_entries_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'details' = to_jsonb(NEW) - 'details' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
    )
    op.execute(
        "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries"
        " FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION audit_entries_refuse_change()")
