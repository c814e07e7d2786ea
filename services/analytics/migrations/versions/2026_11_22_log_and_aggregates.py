"""The log of events, sums by hour and day, and facts of refunds, split payments, drawers and products."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_log_and_aggregates"
down_revision = "2026_11_22_row_level_security"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(18, 2)
SUM = sa.Numeric()
INSTANT = sa.DateTime(timezone=True)

# What sales told before is kept by the log as the rows it had become.
_KNOWN = ("sale_facts", "sale_line_facts", "sale_part_facts", "payment_facts", "refund_facts", "stock_facts")
_KNOWN_TOO = ("stock_level_facts", "invoice_facts")
_NEW = (
    "event_log",
    "sale_part_facts",
    "sale_refund_facts",
    "sale_refund_part_facts",
    "sale_refund_line_facts",
    "cash_session_facts",
    "stock_level_facts",
    "product_facts",
    "hourly_sales",
    "daily_figures",
    "daily_products",
    "stale_days",
    "rebuilds",
    "weekly_reports",
)


def upgrade() -> None:
    _event_log()
    _columns_of_sales()
    _parts_and_refunds()
    _drawers_and_goods()
    _aggregates()
    secure_tables(dict.fromkeys(_NEW, "business_id"))
    _carry_over()


def _event_log() -> None:
    op.create_table(
        "event_log",
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("body", postgresql.JSON, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "seq", name="pk_event_log"),
    )
    op.create_table(
        "rebuilds",
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("known_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("business_id", name="pk_rebuilds"),
    )
    op.create_table(
        "weekly_reports",
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("week", sa.Date, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "week", name="pk_weekly_reports"),
    )


def _columns_of_sales() -> None:
    op.add_column("sale_facts", sa.Column("completed_hour", sa.SmallInteger))
    op.execute(
        "UPDATE sale_facts SET completed_hour = extract(hour FROM completed_at AT TIME ZONE time_zone)::smallint"
        " WHERE completed_at IS NOT NULL"
    )
    for column in (
        sa.Column("branch_id", sa.Uuid),
        sa.Column("currency", sa.Text),
        sa.Column("completed_day", sa.Date),
    ):
        op.add_column("sale_line_facts", column)
    op.execute(
        "UPDATE sale_line_facts AS line SET branch_id = sale.branch_id, currency = sale.currency,"
        " completed_day = sale.completed_day FROM sale_facts AS sale WHERE sale.id = line.sale_id"
    )
    for name in ("branch_id", "currency", "completed_day"):
        op.alter_column("sale_line_facts", name, nullable=False)
    op.create_index("ix_sale_line_facts_business_id_completed_day", "sale_line_facts", ["business_id", "completed_day"])
    op.add_column("invoice_facts", sa.Column("kind", sa.Text, nullable=False, server_default="RECEIPT"))
    for table in ("payment_facts", "refund_facts"):
        op.create_index(f"ix_{table}_sale_id", table, ["sale_id"], postgresql_where=sa.text("sale_id IS NOT NULL"))


def _parts_and_refunds() -> None:
    op.create_table(
        "sale_part_facts",
        sa.Column("sale_id", sa.Uuid, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        *_belongs("completed_day"),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("sale_id", "part", name="pk_sale_part_facts"),
    )
    op.create_table(
        "sale_refund_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid, nullable=False),
        *_belongs("refunded_day"),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("refunded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sale_refund_facts"),
    )
    op.create_table(
        "sale_refund_part_facts",
        sa.Column("refund_id", sa.Uuid, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        *_belongs("refunded_day"),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("refund_id", "part", name="pk_sale_refund_part_facts"),
    )
    op.create_table(
        "sale_refund_line_facts",
        sa.Column("refund_id", sa.Uuid, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        *_belongs("refunded_day"),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("restocked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("refund_id", "line", name="pk_sale_refund_line_facts"),
    )
    op.create_index("ix_sale_part_facts_business_id_completed_day", "sale_part_facts", ["business_id", "completed_day"])
    for table in ("sale_refund_facts", "sale_refund_part_facts", "sale_refund_line_facts"):
        op.create_index(f"ix_{table}_business_id_refunded_day", table, ["business_id", "refunded_day"])


def _belongs(*days: str) -> tuple[sa.Column, ...]:
    return (
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        *(sa.Column(day, sa.Date, nullable=False) for day in days),
    )


def _drawers_and_goods() -> None:
    op.create_table(
        "cash_session_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("register_id", sa.Uuid, nullable=False),
        *_belongs("business_day"),
        sa.Column("register_name", sa.Text, nullable=False),
        *(
            sa.Column(name, MONEY, nullable=False)
            for name in ("opening_cash", "expected_cash", "closing_cash", "difference")
        ),
        sa.Column("needs_approval", sa.Boolean, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cash_session_facts"),
    )
    op.create_index(
        "ix_cash_session_facts_business_id_business_day", "cash_session_facts", ["business_id", "business_day"]
    )
    op.create_table(
        "stock_level_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("on_hand", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stock_level_facts"),
    )
    op.create_table(
        "product_facts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sku", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("price", MONEY, nullable=False),
        sa.Column("cost", MONEY),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_product_facts"),
    )
    for table in ("stock_level_facts", "product_facts"):
        op.create_index(f"ix_{table}_business_id", table, ["business_id"])


def _aggregates() -> None:
    op.create_table(
        "hourly_sales",
        sa.Column("day", sa.Date, nullable=False),
        *_belongs(),
        sa.Column("hour", sa.SmallInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        *(sa.Column(name, SUM, nullable=False) for name in ("revenue", "tax", "discount")),
        sa.PrimaryKeyConstraint("business_id", "day", "hour", "branch_id", "currency", name="pk_hourly_sales"),
    )
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date, nullable=False),
        *_belongs(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("measure", "key", "detail")),
        sa.Column("number", sa.BigInteger, nullable=False),
        *(sa.Column(name, SUM, nullable=False) for name in ("amount", "tax", "discount")),
        sa.PrimaryKeyConstraint(
            "business_id", "day", "branch_id", "currency", "measure", "key", "detail", name="pk_daily_figures"
        ),
    )
    op.create_table(
        "daily_products",
        sa.Column("day", sa.Date, nullable=False),
        *_belongs(),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sold", sa.BigInteger, nullable=False),
        sa.Column("revenue", SUM, nullable=False),
        sa.Column("returned", sa.BigInteger, nullable=False),
        sa.Column("refunded", SUM, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "day", "branch_id", "currency", "product_id", name="pk_daily_products"),
    )
    op.create_table(
        "stale_days",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stale_days"),
    )
    op.create_index("ix_stale_days_business_id_day", "stale_days", ["business_id", "day"])


def _carry_over() -> None:
    op.execute(
        "INSERT INTO sale_part_facts (sale_id, part, business_id, branch_id, currency, completed_day, method, amount)"
        " SELECT id, 0, business_id, branch_id, currency, completed_day, payment_method, total FROM sale_facts"
        " WHERE completed_day IS NOT NULL"
    )
    op.execute(
        "INSERT INTO stock_level_facts (id, version, business_id, branch_id, product_id, on_hand)"
        " SELECT DISTINCT ON (stock_level_id) stock_level_id, version, business_id, branch_id, product_id, on_hand"
        " FROM stock_facts ORDER BY stock_level_id, version DESC"
    )
    op.execute(
        "INSERT INTO stale_days (business_id, day) SELECT DISTINCT business_id, day FROM ("
        "SELECT business_id, unnest(ARRAY[completed_day, canceled_day]) AS day FROM sale_facts UNION ALL"
        " SELECT business_id, unnest(ARRAY[created_day, confirmed_day, failed_day]) FROM payment_facts UNION ALL"
        " SELECT business_id, refunded_day FROM refund_facts UNION ALL"
        " SELECT business_id, issued_day FROM invoice_facts"
        ") AS told WHERE day IS NOT NULL"
    )
    for table in (*_KNOWN, *_KNOWN_TOO):
        op.execute(
            "INSERT INTO event_log (business_id, event_id, type, occurred_at, body)"  # noqa: S608 - names of our own
            f" SELECT business_id, gen_random_uuid(), 'row:{table}', now(), row_to_json(t) FROM {table} AS t"
        )


def downgrade() -> None:
    unsecure(*_NEW)
    for table in reversed(_NEW):
        op.drop_table(table)
    for table in ("payment_facts", "refund_facts"):
        op.drop_index(f"ix_{table}_sale_id", table)
    op.drop_column("invoice_facts", "kind")
    op.drop_index("ix_sale_line_facts_business_id_completed_day", "sale_line_facts")
    for name in ("branch_id", "currency", "completed_day"):
        op.drop_column("sale_line_facts", name)
    op.drop_column("sale_facts", "completed_hour")
