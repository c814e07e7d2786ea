"""Documents, their numbers, and the plumbing every service has."""

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing

revision = "2026_11_22_invoices"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "number_series",
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("last_number >= 0", name=op.f("ck_number_series_last_number")),
        sa.PrimaryKeyConstraint("business_id", "series", name=op.f("pk_number_series")),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("branch_id", sa.UUID(), nullable=False),
        sa.Column("sale_id", sa.UUID(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subtotal", sa.Numeric(18, 2), nullable=False),
        sa.Column("discount", sa.Numeric(18, 2), nullable=False),
        sa.Column("tax", sa.Numeric(18, 2), nullable=False),
        sa.Column("total", sa.Numeric(18, 2), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worker", sa.UUID()),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_invoices_number")),
        sa.CheckConstraint("status IN ('PENDING', 'ISSUED', 'FAILED', 'CANCELED')", name=op.f("ck_invoices_status")),
        sa.CheckConstraint(
            "status <> 'ISSUED' OR (issued_at IS NOT NULL AND content IS NOT NULL)", name=op.f("ck_invoices_issued")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("business_id", "sale_id", name=op.f("uq_invoices_business_id_sale_id")),
        sa.UniqueConstraint("business_id", "series", "number", name=op.f("uq_invoices_business_id_series_number")),
    )
    op.create_index("ix_invoices_list", "invoices", ["business_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_invoices_sale_id", "invoices", ["sale_id"])
    op.create_index("ix_invoices_due", "invoices", ["next_attempt_at"], postgresql_where=sa.text("status = 'PENDING'"))


def downgrade() -> None:
    raise NotImplementedError("expand-then-contract: go forward with another revision")
