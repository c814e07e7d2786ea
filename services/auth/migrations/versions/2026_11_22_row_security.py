"""Row-level security: businesses and what they hold by business, accounts and what belongs to them by user."""

from __future__ import annotations

from alembic import op
from chassis.database.row_security import (
    secure_by_user,
    secure_children,
    secure_plumbing,
    secure_tables,
    unsecure,
    unsecure_plumbing,
)

revision = "2026_11_22_row_security"
down_revision = "2026_11_22_members"
branch_labels = None
depends_on = None

_BY_BUSINESS = {
    "businesses": "id",
    "branches": "business_id",
    "memberships": "business_id",
    "audit_entries": "business_id",
}
_BY_USER = {
    "users": "id",
    "sessions": "user_id",
    "one_time_codes": "user_id",
    "kyc_submissions": "user_id",
    "kyc_documents": "user_id",
    "kyc_uploads": "user_id",
}
_CHILDREN = {"refresh_tokens": ("session_id", "sessions")}


def upgrade() -> None:
    secure_plumbing()
    secure_tables(_BY_BUSINESS)
    secure_by_user(_BY_USER)
    secure_children(_CHILDREN)
    # A user sees what they belong to, and changes it only as the use cases of auth.memberships do.
    op.execute("CREATE POLICY tenancy_own ON memberships FOR SELECT USING (user_id = (SELECT tenancy_user()))")
    # What one does to one's own account goes on record, and only an administrator reads it.
    op.execute(
        "CREATE POLICY tenancy_own ON audit_entries FOR INSERT"
        " WITH CHECK (business_id IS NULL AND actor_id = (SELECT tenancy_user()))"
    )


def downgrade() -> None:
    for table in ("audit_entries", "memberships"):
        op.execute(f"DROP POLICY tenancy_own ON {table}")
    unsecure(*_CHILDREN, *_BY_USER, *_BY_BUSINESS)
    unsecure_plumbing()
