"""A tenant's table, its child, and one that belongs to nobody, all behind row-level security."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_children, secure_for_system, secure_plumbing, secure_tables

revision = "secured_accounts"
down_revision = "probe"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("label", sa.Text, nullable=False, server_default="till"),
    )
    op.create_index("ix_accounts_business_id", "accounts", ["business_id", "id"])
    op.create_table(
        "account_entries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
    )
    op.create_table("rates", sa.Column("id", sa.Uuid, primary_key=True))
    secure_plumbing()
    secure_tables({"accounts": "business_id"})
    secure_children({"account_entries": ("account_id", "accounts")})
    secure_for_system("rates")
