"""Sales of tills that were offline: what the till says of them, and the tills with the numbers that are missing."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, UUID

revision = "2026_11_22_offline_sales"
down_revision = "2026_11_22_refunds"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_COLUMNS = ("till", "till_sequence", "till_total", "till_content")


def upgrade() -> None:
    op.add_column("sales", sa.Column("till", sa.Text()))
    op.add_column("sales", sa.Column("till_sequence", sa.BigInteger()))
    op.add_column("sales", sa.Column("till_total", sa.Numeric(18, 2)))
    op.add_column("sales", sa.Column("till_content", sa.LargeBinary()))
    op.create_table(
        "devices",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("business_id", UUID(as_uuid=True), nullable=False),
        sa.Column("branch_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cash_session_id", UUID(as_uuid=True)),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.Column("missing", INT8MULTIRANGE(), nullable=False),
        sa.Column("sales", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.CheckConstraint("highest >= 0 AND sales >= 0 AND repeated >= 0", name="counts"),
    )
    op.create_index("uq_devices_business_id_name", "devices", ["business_id", "name"], unique=True)
    op.create_index("ix_devices_business", "devices", ["business_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index(
        "ix_devices_cash_session_missing",
        "devices",
        ["cash_session_id"],
        postgresql_where=sa.text("cash_session_id IS NOT NULL AND NOT isempty(missing)"),
    )
    secure_tables({"devices": "business_id"})


def downgrade() -> None:
    unsecure("devices")
    op.drop_table("devices")
    for column in _COLUMNS:
        op.drop_column("sales", column)
