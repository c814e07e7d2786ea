"""Settings of a business's catalogue, the first of which lets its stock go below zero.

A level knows whether it may, so that its own CHECK decides and a sale need not look elsewhere. A trigger tells each new
level; it locks the settings, so that none slips in while they change. What the level forbids no movement can reach, and
so the movements' own bound goes.
"""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure

revision = "catalog_settings"
down_revision = "price_history_returns"
branch_labels = None
depends_on = None

_MAY_GO_BELOW = """
CREATE FUNCTION tell_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT allow_negative_stock INTO NEW.allow_negative FROM catalog_settings
    WHERE business_id = NEW.business_id FOR SHARE;
    IF NOT FOUND THEN
        INSERT INTO catalog_settings (business_id) VALUES (NEW.business_id) ON CONFLICT DO NOTHING;
        SELECT allow_negative_stock INTO NEW.allow_negative FROM catalog_settings
        WHERE business_id = NEW.business_id FOR SHARE;
    END IF;
    RETURN NEW;
END $$
"""
_TELL = "CREATE TRIGGER tell_level BEFORE INSERT ON stock_levels FOR EACH ROW EXECUTE FUNCTION tell_level()"


def upgrade() -> None:
    op.create_table(
        "catalog_settings",
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("allow_negative_stock", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_catalog_settings")),
    )
    secure_tables({"catalog_settings": "business_id"})
    op.execute("INSERT INTO catalog_settings (business_id) SELECT DISTINCT business_id FROM stock_levels")
    op.add_column("stock_levels", sa.Column("allow_negative", sa.Boolean, nullable=False, server_default=sa.false()))
    op.drop_constraint(op.f("ck_stock_levels_covers_reserved"), "stock_levels")
    op.create_check_constraint(
        op.f("ck_stock_levels_covers_reserved"),
        "stock_levels",
        "reserved >= 0 AND (allow_negative OR on_hand >= reserved)",
    )
    op.drop_constraint(op.f("ck_stock_movements_on_hand_not_negative"), "stock_movements")
    op.execute(_MAY_GO_BELOW)
    op.execute(_TELL)


def downgrade() -> None:
    op.execute("DROP TRIGGER tell_level ON stock_levels")
    op.execute("DROP FUNCTION tell_level()")
    op.create_check_constraint(op.f("ck_stock_movements_on_hand_not_negative"), "stock_movements", "on_hand >= 0")
    op.drop_constraint(op.f("ck_stock_levels_covers_reserved"), "stock_levels")
    op.create_check_constraint(
        op.f("ck_stock_levels_covers_reserved"), "stock_levels", "reserved >= 0 AND on_hand >= reserved"
    )
    op.drop_column("stock_levels", "allow_negative")
    unsecure("catalog_settings")
    op.drop_table("catalog_settings")
