"""Row-level security on every table of a tenant."""

from chassis.database.row_security import secure_plumbing, secure_tables, unsecure, unsecure_plumbing

revision = "2026_11_22_row_level_security"
down_revision = "2026_11_22_invoices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    secure_plumbing()
    secure_tables({"invoices": "business_id", "number_series": "business_id"})


def downgrade() -> None:
    unsecure("number_series", "invoices")
    unsecure_plumbing()
