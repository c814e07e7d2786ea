"""Row-level security on every table of a tenant: what a provider sends is nobody's yet."""

from chassis.database.row_security import secure_for_system, secure_plumbing, unsecure, unsecure_plumbing

revision = "2026_11_22_row_level_security"
down_revision = "2026_11_22_webhook_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    secure_plumbing()
    # For whoever receives it, and for administrators.
    secure_for_system("webhook_events")


def downgrade() -> None:
    unsecure("webhook_events")
    unsecure_plumbing()
