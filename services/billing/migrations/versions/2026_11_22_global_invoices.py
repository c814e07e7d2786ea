"""Which global invoice a sale is in, and which one left a refund out."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_global_invoices"
down_revision = "2026_11_22_fiscal_tickets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("global_id", sa.UUID()))
    op.add_column("sale_refunds", sa.Column("global_id", sa.UUID()))
    op.create_index(
        "ix_invoices_global_id", "invoices", ["global_id"], postgresql_where=sa.text("global_id IS NOT NULL")
    )
    op.create_index(
        "ix_invoices_uncovered",
        "invoices",
        ["business_id", "sold_at"],
        postgresql_where=sa.text("kind = 'RECEIPT' AND global_id IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("expand-then-contract: go forward with another revision")
