"""Fiscal documents beside receipts; who issues them; the numbers they take.

A row of `invoices` may now be about a sale without being the one document that every sale has: then sale_id is null and
for_sale_id names the sale. What was there before is all of it receipts.
"""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_22_fiscal_documents"
down_revision = "2026_11_22_row_level_security"
branch_labels = None
depends_on = None

_KINDS = "('RECEIPT', 'TICKET', 'INVOICE', 'CREDIT_NOTE', 'GLOBAL')"


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.Text(), server_default="RECEIPT", nullable=False),
        sa.Column("for_sale_id", sa.UUID()),
        sa.Column("refund_id", sa.UUID()),
        sa.Column("origin_id", sa.UUID()),
        sa.Column("basis", sa.Text()),
        sa.Column("request", sa.Text()),
        sa.Column("prepared", sa.Text()),
        sa.Column("payload_sha256", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.Column("xml_sha256", sa.Text()),
        sa.Column("fiscal_state", sa.Text()),
        sa.Column("document_type", sa.Text()),
        sa.Column("printed_number", sa.Text()),
        sa.Column("local_fiscal_id", sa.Text()),
        sa.Column("fiscal_id", sa.Text()),
        sa.Column("authority_ref", sa.Text()),
        sa.Column("contingency_since", sa.DateTime(timezone=True)),
        sa.Column("cancel_motive", sa.Text()),
        sa.Column("cancel_substitution", sa.Text()),
        sa.Column("canceled_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("invoices", column)
    op.execute("UPDATE invoices SET for_sale_id = sale_id")
    op.alter_column("invoices", "sale_id", nullable=True)
    op.alter_column("invoices", "series", nullable=True)
    op.alter_column("invoices", "number", nullable=True)
    op.create_check_constraint("kind", "invoices", f"kind IN {_KINDS}")
    op.create_check_constraint(
        "receipt", "invoices", "kind <> 'RECEIPT' OR (sale_id IS NOT NULL AND number IS NOT NULL)"
    )
    op.create_check_constraint(
        "accepted",
        "invoices",
        "kind = 'RECEIPT' OR status <> 'ISSUED' OR (fiscal_id IS NOT NULL AND number IS NOT NULL)",
    )
    op.create_check_constraint("credit_note", "invoices", "(kind = 'CREDIT_NOTE') = (origin_id IS NOT NULL)")
    op.create_index("ix_invoices_for_sale_id", "invoices", ["for_sale_id"])
    # One document stands for a sale at a time; a receipt of no authority may stand beside it.
    op.create_index(
        "uq_invoices_fiscal_of_sale",
        "invoices",
        ["business_id", "for_sale_id"],
        unique=True,
        postgresql_where=sa.text("kind IN ('TICKET', 'INVOICE') AND status <> 'CANCELED'"),
    )
    op.create_index(
        "uq_invoices_credit_note",
        "invoices",
        ["origin_id", "refund_id"],
        unique=True,
        postgresql_where=sa.text("refund_id IS NOT NULL"),
    )
    # A document is taken back as a whole once at most, unless that failed.
    op.create_index(
        "uq_invoices_void",
        "invoices",
        ["origin_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'CREDIT_NOTE' AND refund_id IS NULL AND status <> 'FAILED'"),
    )
    op.create_index(
        "ix_invoices_cancel_due",
        "invoices",
        ["next_attempt_at"],
        postgresql_where=sa.text("fiscal_state IN ('cancel_requested', 'cancel_pending')"),
    )
    op.create_index(
        "ix_invoices_contingency",
        "invoices",
        ["business_id", "series", "number"],
        postgresql_where=sa.text("contingency_since IS NOT NULL"),
    )

    op.add_column("number_series", sa.Column("holder", sa.UUID()))
    op.create_table(
        "free_numbers",
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "series", "number", name=op.f("pk_free_numbers")),
        sa.CheckConstraint("number > 0", name=op.f("ck_free_numbers_number")),
    )
    op.create_table(
        "number_ranges",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("authority_authorization", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_ranges")),
        sa.UniqueConstraint("business_id", "series", "first", name=op.f("uq_number_ranges_business_id_series_first")),
        sa.CheckConstraint(
            "first > 0 AND last >= first AND next_number BETWEEN first AND last + 1",
            name=op.f("ck_number_ranges_bounds"),
        ),
    )
    op.create_table(
        "fiscal_profiles",
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("automatic_issue", sa.Boolean(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("certificates_expire_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_fiscal_profiles")),
        sa.CheckConstraint("environment IN ('TEST', 'PRODUCTION')", name=op.f("ck_fiscal_profiles_environment")),
    )
    op.create_table(
        "sale_refunds",
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("refund_id", sa.UUID(), nullable=False),
        sa.Column("sale_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.Numeric(18, 2), nullable=False),
        sa.Column("tax", sa.Numeric(18, 2), nullable=False),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "refund_id", name=op.f("pk_sale_refunds")),
    )
    op.create_index("ix_sale_refunds_sale_id", "sale_refunds", ["sale_id"])
    secure_tables(
        {
            "free_numbers": "business_id",
            "number_ranges": "business_id",
            "fiscal_profiles": "business_id",
            "sale_refunds": "business_id",
        }
    )


def downgrade() -> None:

    raise NotImplementedError("expand-then-contract: go forward with another revision")
