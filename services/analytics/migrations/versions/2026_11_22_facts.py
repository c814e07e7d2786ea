"""Facts, and the plumbing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing

revision = "2026_11_22_facts"
down_revision = None
branch_labels = None
depends_on = None

MONEY = sa.Numeric(18, 2)
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "sale_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("payment_method", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("subtotal", MONEY, nullable=False),
        sa.Column("discount", MONEY, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_day", sa.Date, nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("completed_day", sa.Date),
        sa.Column("canceled_at", INSTANT),
        sa.Column("canceled_day", sa.Date),
        sa.PrimaryKeyConstraint("id", name="pk_sale_facts"),
    )
    op.create_index(
        "ix_sale_facts_business_id_completed_day",
        "sale_facts",
        ["business_id", "completed_day"],
        postgresql_include=["currency", "branch_id", "payment_method", "total", "tax", "discount"],
        postgresql_where=sa.text("completed_day IS NOT NULL"),
    )
    op.create_index(
        "ix_sale_facts_business_id_canceled_day",
        "sale_facts",
        ["business_id", "canceled_day"],
        postgresql_where=sa.text("canceled_day IS NOT NULL"),
    )
    op.create_table(
        "sale_line_facts",
        sa.Column("sale_id", sa.Uuid, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("unit_price", MONEY, nullable=False),
        sa.Column("discount", MONEY, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("sale_id", "line", name="pk_sale_line_facts"),
        sa.ForeignKeyConstraint(["sale_id"], ["sale_facts.id"], name="fk_sale_line_facts_sale_id_sale_facts"),
    )
    op.create_table(
        "payment_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("failure_reason", sa.Text),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_day", sa.Date, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("confirmed_day", sa.Date),
        sa.Column("failed_at", INSTANT),
        sa.Column("failed_day", sa.Date),
        sa.PrimaryKeyConstraint("id", name="pk_payment_facts"),
    )
    op.create_index("ix_payment_facts_business_id_created_day", "payment_facts", ["business_id", "created_day"])
    for day in ("confirmed_day", "failed_day"):
        op.create_index(
            f"ix_payment_facts_business_id_{day}",
            "payment_facts",
            ["business_id", day],
            postgresql_where=sa.text(f"{day} IS NOT NULL"),
        )
    op.create_table(
        "refund_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("payment_id", sa.Uuid, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("refunded_at", INSTANT, nullable=False),
        sa.Column("refunded_day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refund_facts"),
    )
    op.create_index("ix_refund_facts_business_id_refunded_day", "refund_facts", ["business_id", "refunded_day"])
    op.create_table(
        "stock_facts",
        sa.Column("stock_level_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid),
        sa.Column("movement_type", sa.Text, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("on_hand", sa.BigInteger, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("stock_level_id", "version", name="pk_stock_facts"),
    )
    op.create_index("ix_stock_facts_business_id_occurred_at", "stock_facts", ["business_id", "occurred_at"])
    op.create_table(
        "invoice_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("issued_day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_facts"),
    )
    op.create_index("ix_invoice_facts_business_id_issued_day", "invoice_facts", ["business_id", "issued_day"])


def downgrade() -> None:
    for table in (
        "invoice_facts",
        "stock_facts",
        "refund_facts",
        "payment_facts",
        "sale_line_facts",
        "sale_facts",
    ):
        op.drop_table(table)
