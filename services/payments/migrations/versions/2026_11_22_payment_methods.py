"""Ways to be paid that a business offers, and which of them a payment came by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure

revision = "2026_11_22_payment_methods"
down_revision = "2026_11_22_row_level_security"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_methods",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "type IN ('QR_STATIC', 'QR_DYNAMIC', 'PAYMENT_LINK', 'BANK_TRANSFER')", name="ck_payment_methods_type"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_methods"),
        sa.UniqueConstraint("key", name="uq_payment_methods_key"),
    )
    op.create_index(
        "ix_payment_methods_list",
        "payment_methods",
        ["business_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("payments", sa.Column("payment_method_id", sa.UUID()))
    op.add_column("payments", sa.Column("self_service", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ix_payments_method",
        "payments",
        ["payment_method_id", sa.text("created_at DESC")],
        postgresql_where=sa.text("payment_method_id IS NOT NULL"),
    )
    secure_tables({"payment_methods": "business_id"})


def downgrade() -> None:
    unsecure("payment_methods")
    op.drop_index("ix_payments_method", "payments")
    op.drop_column("payments", "self_service")
    op.drop_column("payments", "payment_method_id")
    op.drop_table("payment_methods")
