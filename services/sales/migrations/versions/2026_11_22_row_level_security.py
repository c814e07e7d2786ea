"""Row-level security on every table of a tenant; a sale's items name their business themselves."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_plumbing, secure_tables, unsecure, unsecure_plumbing

revision = "2026_11_22_row_level_security"
down_revision = "2026_11_22_sales"
branch_labels = None
depends_on = None

_TABLES = ("sales", "sale_items")


def upgrade() -> None:
    op.add_column("sale_items", sa.Column("business_id", sa.Uuid))
    op.execute(
        "UPDATE sale_items AS line SET business_id = parent.business_id"
        " FROM sales AS parent WHERE parent.id = line.sale_id"
    )
    op.alter_column("sale_items", "business_id", nullable=False)
    secure_plumbing()
    secure_tables(dict.fromkeys(_TABLES, "business_id"))


def downgrade() -> None:
    unsecure(*_TABLES)
    unsecure_plumbing()
    op.drop_column("sale_items", "business_id")
