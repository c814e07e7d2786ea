"""Messages to an account rather than in a business's name, and codes, whose words and recipient are never stored."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_accounts_and_codes"
down_revision = "2026_11_22_notifications"
branch_labels = None
depends_on = None

_CHECKS = {
    "addressee": "(business_id IS NULL) <> (user_id IS NULL)",
    "stored": (
        "(code_id IS NULL AND num_nulls(recipient, recipient_index, content, language) = 0)"
        " OR (code_id IS NOT NULL AND expires_at IS NOT NULL"
        " AND num_nonnulls(recipient, recipient_index, content, language) = 0)"
    ),
}


def upgrade() -> None:
    op.add_column("notifications", sa.Column("user_id", sa.UUID()))
    op.add_column("notifications", sa.Column("code_id", sa.UUID()))
    op.add_column("notifications", sa.Column("expires_at", sa.DateTime(timezone=True)))
    for column in ("business_id", "language", "recipient", "recipient_index", "content"):
        op.alter_column("notifications", column, nullable=True)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(
            op.f(f"ck_notifications_{name}"), "notifications", condition, postgresql_not_valid=True
        )
    op.create_index(
        "uq_notifications_code",
        "notifications",
        ["code_id"],
        unique=True,
        postgresql_where=sa.text("code_id IS NOT NULL"),
    )
    # Apart, because reading the whole table must not lock it.
    with op.get_context().autocommit_block():
        for name in _CHECKS:
            op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT ck_notifications_{name}")


def downgrade() -> None:
    raise NotImplementedError("expand-then-contract: go forward with another revision")
