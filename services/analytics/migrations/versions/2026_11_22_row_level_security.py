"""Row-level security on every table of a tenant; a sale's lines name their business themselves."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_plumbing, secure_tables, unsecure, unsecure_plumbing

revision = "2026_11_22_row_level_security"
down_revision = "2026_11_22_facts"
branch_labels = None
depends_on = None

_TABLES = ("sale_facts", "sale_line_facts", "payment_facts", "refund_facts", "stock_facts", "invoice_facts")


def upgrade() -> None:
    op.add_column("sale_line_facts", sa.Column("business_id", sa.Uuid))
    op.execute(
        "UPDATE sale_line_facts AS line SET business_id = parent.business_id"
        " FROM sale_facts AS parent WHERE parent.id = line.sale_id"
    )
    op.alter_column("sale_line_facts", "business_id", nullable=False)
    secure_plumbing()
    secure_tables(dict.fromkeys(_TABLES, "business_id"))


def downgrade() -> None:
    unsecure(*_TABLES)
    unsecure_plumbing()
    op.drop_column("sale_line_facts", "business_id")
