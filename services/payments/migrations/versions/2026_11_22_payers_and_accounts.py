"""What a bank transfer needs to know of the buyer, and businesses' own accounts at their provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_22_payers_and_accounts"
down_revision = "2026_11_22_reconciliation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("payer", sa.Text()))
    op.add_column("payments", sa.Column("account_id", sa.UUID()))
    op.create_index(
        "ix_payments_account",
        "payments",
        ["account_id", "status"],
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
    op.create_table(
        "payment_accounts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("earlier", sa.Text()),
        sa.Column("earlier_until", sa.DateTime(timezone=True)),
        sa.Column("shown", JSONB(), nullable=False),
        sa.Column("identity", sa.LargeBinary()),
        sa.Column("verification", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("environment IN ('LIVE', 'TEST')", name="ck_payment_accounts_environment"),
        sa.CheckConstraint(
            "verification IN ('VERIFIED', 'UNVERIFIED', 'REFUSED')", name="ck_payment_accounts_verification"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_accounts"),
        sa.UniqueConstraint("key", name="uq_payment_accounts_key"),
    )
    op.create_index(
        "uq_payment_accounts_present",
        "payment_accounts",
        ["business_id", "provider"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index(
        "ix_payment_accounts_replaced",
        "payment_accounts",
        ["replaced_at"],
        postgresql_where=sa.text("replaced_at IS NOT NULL"),
    )
    secure_tables({"payment_accounts": "business_id"})


def downgrade() -> None:
    unsecure("payment_accounts")
    op.drop_table("payment_accounts")
    op.drop_index("ix_payments_account", "payments")
    op.drop_column("payments", "account_id")
    op.drop_column("payments", "payer")
