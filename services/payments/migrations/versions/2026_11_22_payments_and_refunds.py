"""Payments with their timeline, refunds, and the plumbing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_payments_and_refunds"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "payments",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("sale_id", sa.UUID()),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("metadata", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("customer", sa.Text()),
        sa.Column("customer_phone_index", sa.LargeBinary()),
        sa.Column("customer_email_index", sa.LargeBinary()),
        sa.Column("qr_content", sa.Text()),
        sa.Column("payment_link", sa.Text()),
        sa.Column("transfer", postgresql.JSONB()),
        sa.Column("refund_reserved", sa.Numeric(precision=18, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded", sa.Numeric(precision=18, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("refunded_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True)),
        sa.Column("disputed_at", sa.DateTime(timezone=True)),
        sa.Column("dispute", sa.Text()),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True)),
        sa.Column("poll_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("(status = 'FAILED') <= (failure_reason IS NOT NULL)", name="ck_payments_failure_reason"),
        sa.CheckConstraint(
            "status IN ('SUBMITTING', 'UNKNOWN', 'PENDING', 'CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'FAILED')",
            name="ck_payments_status",
        ),
        sa.CheckConstraint(
            "0 <= refunded AND refunded <= refund_reserved AND refund_reserved <= amount", name="ck_payments_refunds"
        ),
        sa.CheckConstraint("amount > 0", name="ck_payments_amount"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
    )
    op.create_index(
        "ix_payments_customer_email",
        "payments",
        ["business_id", "customer_email_index"],
        postgresql_where=sa.text("customer_email_index IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_customer_phone",
        "payments",
        ["business_id", "customer_phone_index"],
        postgresql_where=sa.text("customer_phone_index IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_disputed", "payments", ["disputed_at"], postgresql_where=sa.text("disputed_at IS NOT NULL")
    )
    op.create_index(
        "ix_payments_due", "payments", ["next_poll_at"], postgresql_where=sa.text("next_poll_at IS NOT NULL")
    )
    op.create_index("ix_payments_list", "payments", ["business_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_payments_newest", "payments", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index(
        "uq_payments_provider_ref",
        "payments",
        ["provider", "provider_ref"],
        unique=True,
        postgresql_where=sa.text("provider_ref IS NOT NULL"),
    )
    op.create_index(
        "uq_payments_sale",
        "payments",
        ["sale_id"],
        unique=True,
        postgresql_where=sa.text("sale_id IS NOT NULL AND status <> 'FAILED' AND NOT late"),
    )
    op.create_table(
        "payment_events",
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text()),
        sa.Column("to_status", sa.Text()),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", "id", name="pk_payment_events"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("provider_refund_ref", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("next_poll_at", sa.DateTime(timezone=True)),
        sa.Column("poll_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("origin IN ('merchant', 'provider')", name="ck_refunds_origin"),
        sa.CheckConstraint(
            "status IN ('SUBMITTING', 'UNKNOWN', 'PENDING', 'SUCCEEDED', 'FAILED')", name="ck_refunds_status"
        ),
        sa.CheckConstraint("amount > 0", name="ck_refunds_amount"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_refunds_payment_id_payments"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
    )
    op.create_index("ix_refunds_due", "refunds", ["next_poll_at"], postgresql_where=sa.text("next_poll_at IS NOT NULL"))
    op.create_index("ix_refunds_payment", "refunds", ["payment_id", "id"])
    op.create_index(
        "uq_refunds_provider_ref",
        "refunds",
        ["payment_id", "provider_refund_ref"],
        unique=True,
        postgresql_where=sa.text("provider_refund_ref IS NOT NULL"),
    )
    op.create_index(
        "uq_refunds_unsent",
        "refunds",
        ["payment_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('SUBMITTING', 'UNKNOWN')"),
    )


def downgrade() -> None:
    op.drop_table("refunds")
    op.drop_table("payment_events")
    op.drop_table("payments")
