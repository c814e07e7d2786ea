"""Split payment, cash rounding, what a bank transfer asks of a buyer, and refunds."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure
from sqlalchemy.dialects.postgresql import UUID

revision = "2026_11_22_refunds"
down_revision = "2026_11_22_cash_registers"
branch_labels = None
depends_on = None

_AMOUNT = sa.Numeric(18, 2)
_NEWEST = (sa.text("created_at DESC"), sa.text("id DESC"))


def upgrade() -> None:
    _extend_sales()
    _extend_items()
    _create_refunds()
    _create_refund_items()
    secure_tables({"refunds": "business_id", "refund_items": "business_id"})


def downgrade() -> None:
    op.drop_index("ix_sales_cash_session", "sales")
    unsecure("refunds", "refund_items")
    op.drop_table("refund_items")
    op.drop_table("refunds")
    op.execute("UPDATE sales SET status = 'COMPLETED' WHERE status IN ('PARTIALLY_REFUNDED', 'REFUNDED')")
    _replace("sales", "status", "status IN ('PENDING_PAYMENT', 'COMPLETED', 'CANCELED')")
    _replace("sales", "completed_at", "(status = 'COMPLETED') = (completed_at IS NOT NULL)")
    for name in ("refund_reserved", "cash"):
        op.drop_constraint(op.f(f"ck_sales_{name}"), "sales")
    op.drop_constraint(op.f("ck_sale_items_refunded"), "sale_items")
    for column in (
        "sold_at",
        "cash_amount",
        "rounding",
        "bank_code",
        "device",
        "kyc_level",
        "refund_reserved",
        "cash_refunded",
        "cash_returned",
    ):
        op.drop_column("sales", column)
    for column in ("refunded_quantity", "refunded_amount", "refunded_tax"):
        op.drop_column("sale_items", column)


def _amount(name: str) -> sa.Column[object]:
    """What is not written by the version before is nothing."""
    return sa.Column(name, _AMOUNT, nullable=False, server_default="0")


def _extend_sales() -> None:
    for column in (
        sa.Column("sold_at", sa.DateTime(timezone=True)),
        _amount("cash_amount"),
        _amount("rounding"),
        sa.Column("bank_code", sa.Text()),
        sa.Column("device", sa.Text()),
        sa.Column("kyc_level", sa.SmallInteger()),
        _amount("refund_reserved"),
        _amount("cash_refunded"),
        _amount("cash_returned"),
    ):
        op.add_column("sales", column)
    # Money that a provider gave back of a sold sale before there were refunds of sales.
    op.execute(
        "UPDATE sales SET cash_amount = CASE WHEN payment_method = 'CASH' THEN total ELSE 0 END,"
        " refund_reserved = CASE WHEN status = 'COMPLETED' THEN least(refunded_amount, total) ELSE 0 END"
        " WHERE payment_method = 'CASH' OR refunded_amount > 0"
    )
    _replace(
        "sales",
        "status",
        "status IN ('PENDING_PAYMENT', 'COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CANCELED')",
    )
    _replace(
        "sales",
        "completed_at",
        "(status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (completed_at IS NOT NULL)",
    )
    _add("sales", "refund_reserved", "refund_reserved BETWEEN 0 AND total")
    _add(
        "sales",
        "cash",
        "cash_amount BETWEEN 0 AND total AND cash_refunded BETWEEN 0 AND cash_amount"
        " AND cash_returned BETWEEN 0 AND cash_amount + rounding",
    )
    op.create_index(
        "ix_sales_cash_session",
        "sales",
        ["business_id", "cash_session_id", *_NEWEST],
        postgresql_where=sa.text("cash_session_id IS NOT NULL"),
    )


def _extend_items() -> None:
    op.add_column("sale_items", sa.Column("refunded_quantity", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sale_items", _amount("refunded_amount"))
    op.add_column("sale_items", _amount("refunded_tax"))
    op.execute(
        "UPDATE sale_items AS line SET refunded_amount = line.total, refunded_tax = line.tax FROM sales AS sale"
        " WHERE sale.id = line.sale_id AND sale.refund_reserved > 0 AND sale.refund_reserved = sale.total"
    )
    _add(
        "sale_items",
        "refunded",
        "refunded_quantity BETWEEN 0 AND quantity AND refunded_amount BETWEEN 0 AND total"
        " AND refunded_tax BETWEEN 0 AND tax",
    )


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("business_id", UUID(as_uuid=True), nullable=False),
        sa.Column("branch_id", UUID(as_uuid=True), nullable=False),
        sa.Column("sale_id", UUID(as_uuid=True), sa.ForeignKey("sales.id"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_by", UUID(as_uuid=True)),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("tax", _AMOUNT, nullable=False),
        sa.Column("cash_amount", _AMOUNT, nullable=False),
        sa.Column("cash_returned", _AMOUNT, nullable=False),
        sa.Column("restock", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("cash_session_id", UUID(as_uuid=True)),
        sa.Column("provider_refund_id", UUID(as_uuid=True)),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("resume_at", sa.DateTime(timezone=True)),
        sa.Column("resume_attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint("origin IN ('merchant', 'provider')", name="origin"),
        sa.CheckConstraint("status IN ('PENDING', 'SUCCEEDED', 'FAILED')", name="status"),
        sa.CheckConstraint("(status = 'SUCCEEDED') = (completed_at IS NOT NULL)", name="completed_at"),
        sa.CheckConstraint(
            "amount >= 0 AND tax BETWEEN 0 AND amount AND cash_amount BETWEEN 0 AND amount AND cash_returned >= 0",
            name="amounts",
        ),
    )
    op.create_index("ix_refunds_sale", "refunds", ["sale_id", *_NEWEST])
    op.create_index(
        "uq_refunds_provider_refund_id",
        "refunds",
        ["provider_refund_id"],
        unique=True,
        postgresql_where=sa.text("provider_refund_id IS NOT NULL"),
    )
    op.create_index("ix_refunds_resume_at", "refunds", ["resume_at"], postgresql_where=sa.text("resume_at IS NOT NULL"))


def _create_refund_items() -> None:
    op.create_table(
        "refund_items",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("business_id", UUID(as_uuid=True), nullable=False),
        sa.Column("refund_id", UUID(as_uuid=True), sa.ForeignKey("refunds.id"), nullable=False),
        sa.Column("sale_item_id", UUID(as_uuid=True), sa.ForeignKey("sale_items.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("tax", _AMOUNT, nullable=False),
        sa.UniqueConstraint("refund_id", "position"),
        sa.CheckConstraint("quantity >= 0 AND amount >= 0 AND tax BETWEEN 0 AND amount", name="amounts"),
    )


def _replace(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    _add(table, name, condition)


def _add(table: str, name: str, condition: str) -> None:
    """In two steps, so that writers wait for neither the scan nor each other."""
    constraint = f"ck_{table}_{name}"
    op.create_check_constraint(op.f(constraint), table, condition, postgresql_not_valid=True)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
