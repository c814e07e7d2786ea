"""Rows are a business's, and what an account is sent is the system's alone."""

from chassis.database.row_security import secure_plumbing, secure_tables

revision = "2026_11_22_row_security"
down_revision = "2026_11_22_accounts_and_codes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    secure_plumbing()
    # A message to an account has no business: only everyone's scope touches it.
    secure_tables({"notifications": "business_id", "preferences": "business_id"})


def downgrade() -> None:
    raise NotImplementedError("expand-then-contract: go forward with another revision")
