"""Row-level security on every table of a tenant."""

from chassis.database.row_security import secure_children, secure_plumbing, secure_tables, unsecure, unsecure_plumbing

revision = "2026_11_22_row_level_security"
down_revision = "2026_11_22_payments_and_refunds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    secure_plumbing()
    secure_tables({"payments": "business_id", "refunds": "business_id"})
    secure_children({"payment_events": ("payment_id", "payments")})


def downgrade() -> None:
    unsecure("payment_events", "refunds", "payments")
    unsecure_plumbing()
