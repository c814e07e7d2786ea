"""Tickets of authorities, shared by every process of billing."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables

revision = "2026_11_22_fiscal_tickets"
down_revision = "2026_11_22_fiscal_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fiscal_tickets",
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("business_id", "name", name=op.f("pk_fiscal_tickets")),
    )
    secure_tables({"fiscal_tickets": "business_id"})


def downgrade() -> None:

    raise NotImplementedError("expand-then-contract: go forward with another revision")
