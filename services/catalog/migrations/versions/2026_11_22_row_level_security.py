"""Row-level security on every table of a tenant; lines of a reservation name their business themselves.

They are written in one statement with their reservation, which a policy by way of the parent would not see yet.
"""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_plumbing, secure_tables, unsecure, unsecure_plumbing

revision = "row_level_security"
down_revision = "products_stock_reservations"
branch_labels = None
depends_on = None

_TABLES = ("products", "stock_levels", "stock_movements", "reservations", "reservation_lines")


def upgrade() -> None:
    op.add_column("reservation_lines", sa.Column("business_id", sa.Uuid))
    op.execute(
        "UPDATE reservation_lines AS line SET business_id = reservation.business_id"
        " FROM reservations AS reservation WHERE reservation.sale_id = line.sale_id"
    )
    op.alter_column("reservation_lines", "business_id", nullable=False)
    secure_plumbing()
    secure_tables(dict.fromkeys(_TABLES, "business_id"))


def downgrade() -> None:
    unsecure(*_TABLES)
    unsecure_plumbing()
    op.drop_column("reservation_lines", "business_id")
