"""sales"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision: str = "2026_11_22_sales"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    create_plumbing()
    _create_sales()
    _create_sale_items()


def downgrade() -> None:
    raise NotImplementedError("the first revision is undone by dropping the schema")


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UUID(as_uuid=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _amount(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(18, 2), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_sales() -> None:
    op.create_table(
        "sales",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        _uuid("business_id"),
        _uuid("branch_id"),
        _uuid("created_by"),
        _text("status"),
        sa.Column("version", sa.Integer(), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.Column("basket", JSONB(), nullable=False),
        _text("customer", nullable=True),
        _text("notes", nullable=True),
        _text("currency"),
        _text("time_zone"),
        _amount("subtotal"),
        _amount("discount"),
        _amount("tax"),
        _amount("total"),
        _text("payment_method"),
        _amount("tendered", nullable=True),
        _amount("change", nullable=True),
        sa.Column("expires_in", sa.Integer(), nullable=True),
        _uuid("transaction_id", nullable=True),
        _text("payment_status", nullable=True),
        sa.Column("payment_details", JSONB(), nullable=True),
        _time("payment_expires_at", nullable=True),
        _time("payment_confirmed_at", nullable=True),
        sa.Column("payment_version", sa.Integer(), nullable=False),
        _text("payment_note", nullable=True),
        _amount("refunded_amount"),
        _time("completed_at", nullable=True),
        _time("canceled_at", nullable=True),
        _text("cancel_reason", nullable=True),
        _text("step"),
        _time("resume_at", nullable=True),
        sa.Column("resume_attempts", sa.Integer(), nullable=False),
        _text("idempotency_route", nullable=True),
        _text("idempotency_key", nullable=True),
        _uuid("idempotency_owner", nullable=True),
        sa.CheckConstraint("status IN ('PENDING_PAYMENT', 'COMPLETED', 'CANCELED')", name="status"),
        sa.CheckConstraint(
            "total = subtotal - discount + tax AND total >= 0 AND tax >= 0 AND discount >= 0", name="total"
        ),
        sa.CheckConstraint("(status = 'COMPLETED') = (completed_at IS NOT NULL)", name="completed_at"),
        sa.CheckConstraint("(status = 'CANCELED') = (canceled_at IS NOT NULL)", name="canceled_at"),
        sa.CheckConstraint("refunded_amount >= 0", name="refunded_amount"),
    )
    newest = (sa.text("created_at DESC"), sa.text("id DESC"))
    op.create_index("ix_sales_business", "sales", ["business_id", *newest])
    op.create_index("ix_sales_branch", "sales", ["business_id", "branch_id", *newest])
    op.create_index(
        "uq_sales_transaction_id",
        "sales",
        ["transaction_id"],
        unique=True,
        postgresql_where=sa.text("transaction_id IS NOT NULL"),
    )
    op.create_index("ix_sales_resume_at", "sales", ["resume_at"], postgresql_where=sa.text("resume_at IS NOT NULL"))


def _create_sale_items() -> None:
    op.create_table(
        "sale_items",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("sale_id", UUID(as_uuid=True), sa.ForeignKey("sales.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _uuid("product_id"),
        _text("name"),
        _text("sku", nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        _amount("unit_price"),
        _amount("discount"),
        sa.Column("tax_rate", sa.Numeric(6, 5), nullable=False),
        _amount("tax"),
        _amount("total"),
        sa.UniqueConstraint("sale_id", "position"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint("total = unit_price * quantity - discount AND discount >= 0 AND total >= 0", name="total"),
        sa.CheckConstraint("tax BETWEEN 0 AND total", name="tax"),
    )
