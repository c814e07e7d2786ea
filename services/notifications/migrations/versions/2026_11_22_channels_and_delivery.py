"""Push, quiet hours and looks, what readers switch off, what providers report, and news told together."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_by_user, secure_tables
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_channels_and_delivery"
down_revision = "2026_11_22_row_security"
branch_labels = None
depends_on = None

_CHECKS = {
    "notifications": ("delivery_status", "delivery_status IN ('ACCEPTED', 'DELAYED', 'DELIVERED', 'UNDELIVERED')"),
    "preferences": ("quiet", "(quiet_from IS NULL) = (quiet_until IS NULL)"),
}


def upgrade() -> None:
    for column in ("delivery_status", "quiet_hours"):
        op.add_column("notifications", sa.Column(column, sa.Text()))
    for column in ("delivery_reported_at", "redriven_at"):
        op.add_column("notifications", sa.Column(column, sa.DateTime(timezone=True)))
    op.add_column("preferences", sa.Column("push", sa.Boolean(), server_default=sa.true(), nullable=False))
    for column in ("quiet_from", "quiet_until"):
        op.add_column("preferences", sa.Column(column, sa.Time()))
    for column in ("color", "logo_url"):
        op.add_column("preferences", sa.Column(column, sa.Text()))
    for table, (name, condition) in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, postgresql_not_valid=True)
    _steps()
    _of_users()
    _suppressions()
    _digests()
    secure_tables({"notification_steps": "business_id", "suppressions": "business_id", "digest_items": "business_id"})
    secure_by_user({"push_devices": "user_id", "personal_preferences": "user_id"})
    # Apart, because reading the whole table must not lock it.
    with op.get_context().autocommit_block():
        for table, (name, _) in _CHECKS.items():
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def _steps() -> None:
    op.create_table(
        "notification_steps",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("notification_id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("provider_event_id", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('TRY', 'REPORT', 'REDRIVE')", name=op.f("ck_notification_steps_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_steps")),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_steps_notification_id_notifications"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_notification_steps_list", "notification_steps", ["notification_id", "at", "id"])
    op.create_index(
        "uq_notification_steps_report",
        "notification_steps",
        ["provider", "provider_event_id"],
        unique=True,
        postgresql_where=sa.text("provider_event_id IS NOT NULL"),
    )


def _of_users() -> None:
    op.create_table(
        "push_devices",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("platform IN ('ANDROID', 'IOS', 'WEB')", name=op.f("ck_push_devices_platform")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_devices")),
        sa.UniqueConstraint("user_id", "token_index", name="uq_push_devices_token"),
    )
    op.create_index("ix_push_devices_list", "push_devices", ["user_id", "created_at", "id"])
    op.create_index("ix_push_devices_token", "push_devices", ["token_index"])
    op.create_table(
        "personal_preferences",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("muted", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_until", sa.Time()),
        sa.Column("time_zone", sa.Text()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "num_nulls(quiet_from, quiet_until, time_zone) IN (0, 3)", name=op.f("ck_personal_preferences_quiet")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_personal_preferences")),
    )


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID()),
        sa.Column("user_id", sa.UUID()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient_index", sa.LargeBinary(), nullable=False),
        sa.Column("event_class", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("(business_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_suppressions_addressee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "recipient_index",
            "event_class",
            "channel",
            "business_id",
            "user_id",
            name="uq_suppressions_recipient",
            postgresql_nulls_not_distinct=True,
        ),
    )


def _digests() -> None:
    op.create_table(
        "digest_items",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("business_id", sa.UUID(), nullable=False),
        sa.Column("cause_event_id", sa.UUID(), nullable=False),
        sa.Column("branch_id", sa.UUID(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_items")),
        sa.UniqueConstraint("cause_event_id", name="uq_digest_items_cause"),
    )
    op.create_index("ix_digest_items_due", "digest_items", ["due_at"])
    op.create_index("ix_digest_items_business", "digest_items", ["business_id", "created_at", "id"])


def downgrade() -> None:
    raise NotImplementedError("expand-then-contract: go forward with another revision")
