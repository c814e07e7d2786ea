"""Of which of a business's own accounts a notification speaks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_webhook_accounts"
down_revision = "2026_11_22_webhook_endpoints"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhook_events", sa.Column("account_id", sa.UUID()))


def downgrade() -> None:
    op.drop_column("webhook_events", "account_id")
