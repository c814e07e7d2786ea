"""Cash registers, their sessions, the append-only ledger of each, and its sums."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "2026_11_22_cash_registers"
down_revision = "2026_11_22_row_level_security"
branch_labels = None
depends_on = None

_TABLES = ("cash_registers", "cash_sessions", "cash_entries", "cash_totals")
_LIVING = sa.text("deleted_at IS NULL")
_OPEN = sa.text("status = 'OPEN'")
_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""
_APPEND_ONLY_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON cash_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    _create_registers()
    _create_sessions()
    _create_ledger()
    _tie_sales()
    op.execute(_APPEND_ONLY)
    op.execute(_APPEND_ONLY_TRIGGER)
    secure_tables(dict.fromkeys(_TABLES, "business_id"))


def downgrade() -> None:
    op.drop_column("sales", "cash_session_id")
    unsecure(*_TABLES)
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UUID(as_uuid=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _amount(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(18, 2), nullable=nullable)


def _sum(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(24, 2), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_session() -> sa.Column[object]:
    return sa.Column("session_id", UUID(as_uuid=True), sa.ForeignKey("cash_sessions.id"), nullable=False)


def _create_registers() -> None:
    op.create_table(
        "cash_registers",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        _uuid("business_id"),
        _uuid("branch_id"),
        _text("name"),
        _text("currency"),
        _amount("tolerance", nullable=True),
        _uuid("session_id", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _uuid("created_by"),
        _time("created_at"),
        _time("updated_at"),
        _time("deleted_at", nullable=True),
        sa.CheckConstraint("tolerance >= 0", name="tolerance"),
    )
    op.create_index(
        "uq_cash_registers_branch_id_name",
        "cash_registers",
        ["branch_id", sa.text("lower(name)")],
        unique=True,
        postgresql_where=_LIVING,
    )
    op.create_index(
        "ix_cash_registers_business",
        "cash_registers",
        ["business_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=_LIVING,
    )


def _create_sessions() -> None:
    op.create_table(
        "cash_sessions",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        _uuid("business_id"),
        _uuid("branch_id"),
        sa.Column("register_id", UUID(as_uuid=True), sa.ForeignKey("cash_registers.id"), nullable=False),
        *(_text(name) for name in ("register_name", "branch_name", "business_name", "country", "currency")),
        _text("time_zone"),
        sa.Column("business_day", sa.Date(), nullable=False),
        _text("status"),
        _time("opened_at"),
        _uuid("opened_by"),
        _amount("opening_cash"),
        sa.Column("opening_count", JSONB(), nullable=True),
        *(_sum(name) for name in ("expected", "late_cash", "lowest")),
        sa.Column("entries", sa.Integer(), nullable=False),
        _time("closed_at", nullable=True),
        _uuid("closed_by", nullable=True),
        _amount("closing_cash", nullable=True),
        sa.Column("closing_count", JSONB(), nullable=True),
        _sum("difference", nullable=True),
        _amount("tolerance", nullable=True),
        _text("notes", nullable=True),
        sa.Column("exceptions", JSONB(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("approvals", JSONB(), nullable=False),
        sa.Column("report", JSONB(), nullable=True),
        sa.CheckConstraint("status IN ('OPEN', 'CLOSED')", name="status"),
        sa.CheckConstraint("opening_cash >= 0", name="opening_cash"),
        sa.CheckConstraint("closing_cash >= 0", name="closing_cash"),
        sa.CheckConstraint(
            "(status = 'CLOSED') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND closing_cash IS NOT NULL"
            " AND difference IS NOT NULL AND tolerance IS NOT NULL AND report IS NOT NULL)",
            name="closed",
        ),
        sa.CheckConstraint("difference = closing_cash - expected", name="difference"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "uq_cash_sessions_open_register_id", "cash_sessions", ["register_id"], unique=True, postgresql_where=_OPEN
    )
    newest = [sa.text("opened_at DESC"), sa.text("id DESC")]
    op.create_index("ix_cash_sessions_register", "cash_sessions", ["register_id", *newest])
    op.create_index("ix_cash_sessions_open_branch", "cash_sessions", ["branch_id"], postgresql_where=_OPEN)


def _create_ledger() -> None:
    op.create_table(
        "cash_entries",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        *(_uuid(name) for name in ("business_id", "branch_id", "register_id")),
        _of_session(),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("kind"),
        _text("method"),
        _sum("amount"),
        _sum("balance"),
        sa.Column("late", sa.Boolean(), nullable=False),
        _uuid("reference"),
        _text("reason", nullable=True),
        _uuid("created_by"),
        _time("created_at"),
        sa.CheckConstraint("kind IN ('OPENING', 'SALE', 'REFUND', 'IN', 'OUT', 'CLOSING')", name="kind"),
    )
    op.create_index(
        "uq_cash_entries_reference", "cash_entries", ["business_id", "reference", "kind", "method"], unique=True
    )
    op.create_index("uq_cash_entries_position", "cash_entries", ["session_id", "position"], unique=True)
    op.create_index(
        "ix_cash_entries_movements",
        "cash_entries",
        ["register_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("kind IN ('IN', 'OUT')"),
    )
    op.create_table(
        "cash_totals",
        _of_session(),
        _text("kind"),
        _text("method"),
        _uuid("created_by"),
        sa.Column("late", sa.Boolean(), nullable=False),
        _uuid("business_id"),
        _sum("amount"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "kind", "method", "created_by", "late"),
        postgresql_with={"fillfactor": 70},
    )


def _tie_sales() -> None:
    op.add_column("sales", _uuid("cash_session_id", nullable=True))
    # What a closing asks for: the sales of the session that still wait for their payment.
    op.create_index(
        "ix_sales_cash_session_pending",
        "sales",
        ["cash_session_id"],
        postgresql_where=sa.text("cash_session_id IS NOT NULL AND status = 'PENDING_PAYMENT'"),
    )
