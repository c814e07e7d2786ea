"""Inbound webhook events, and the plumbing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing

revision = "2026_11_22_webhook_events"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("provider_ref", sa.Text),
        sa.Column("our_reference", sa.Text),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_event_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_events"),
        sa.UniqueConstraint("provider", "provider_event_id", name="uq_webhook_events_provider_provider_event_id"),
    )
    op.create_index(
        "ix_webhook_events_created_at_id", "webhook_events", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("ix_webhook_events_our_reference", "webhook_events", ["our_reference"])


def downgrade() -> None:
    op.drop_table("webhook_events")
