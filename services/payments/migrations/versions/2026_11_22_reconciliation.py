"""What a provider lists against what we hold, day by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_for_system

revision = "2026_11_22_reconciliation"
down_revision = "2026_11_22_payment_methods"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ours", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("theirs", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("origin IN ('schedule', 'request')", name="ck_reconciliations_origin"),
        sa.CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name="ck_reconciliations_status"),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliations"),
    )
    op.create_index("ix_reconciliations_list", "reconciliations", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index(
        "uq_reconciliations_scheduled",
        "reconciliations",
        ["provider", "day"],
        unique=True,
        postgresql_where=sa.text("origin = 'schedule'"),
    )
    op.create_table(
        "reconciliation_differences",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reconciliation_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.UUID()),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("our_status", sa.Text()),
        sa.Column("their_status", sa.Text()),
        sa.Column("our_amount", sa.Numeric(precision=18, scale=2)),
        sa.Column("their_amount", sa.Numeric(precision=18, scale=2)),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('MISSING', 'EXTRA', 'DIFFERENT')", name="ck_reconciliation_differences_kind"),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name="fk_reconciliation_differences_reconciliation_id_reconciliations",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation_differences"),
    )
    op.create_index("ix_reconciliation_differences_of", "reconciliation_differences", ["reconciliation_id", "id"])
    secure_for_system("reconciliations", "reconciliation_differences")


def downgrade() -> None:
    op.drop_table("reconciliation_differences")
    op.drop_table("reconciliations")
