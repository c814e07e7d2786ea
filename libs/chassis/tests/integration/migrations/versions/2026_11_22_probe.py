"""The plumbing, and a table for the probe service to write to."""

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing

revision = "probe"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
