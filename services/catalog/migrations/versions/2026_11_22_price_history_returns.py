"""Every price a product ever had, kept by a trigger, and what came back of each line sold."""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure

revision = "price_history_returns"
down_revision = "row_level_security"
branch_labels = None
depends_on = None

# Whoever changes a product, by whatever statement, leaves its price behind.
_REMEMBER = """
CREATE FUNCTION remember_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_prices (business_id, product_id, effective_at, name, sku, price, currency, tax_rate)
    VALUES (NEW.business_id, NEW.id, NEW.updated_at, NEW.name, NEW.sku, NEW.price, NEW.currency, NEW.tax_rate);
    RETURN NULL;
END $$
"""
_ON_INSERT = """
CREATE TRIGGER remember_first_price AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION remember_price()
"""
_ON_UPDATE = """
CREATE TRIGGER remember_price AFTER UPDATE OF name, sku, price, currency, tax_rate ON products FOR EACH ROW
WHEN ((OLD.name, OLD.sku, OLD.price, OLD.currency, OLD.tax_rate)
      IS DISTINCT FROM (NEW.name, NEW.sku, NEW.price, NEW.currency, NEW.tax_rate))
EXECUTE FUNCTION remember_price()
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON product_prices
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    _create_prices()
    _create_returns()


def _create_prices() -> None:
    op.create_table(
        "product_prices",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sku", sa.Text),
        sa.Column("price", sa.Numeric(18, 2), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 4), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_prices")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_prices_product_id_products")),
    )
    op.create_index("ix_product_prices_product_id_effective_at", "product_prices", ["product_id", "effective_at"])
    secure_tables({"product_prices": "business_id"})
    for statement in (_REMEMBER, _ON_INSERT, _ON_UPDATE):
        op.execute(statement)
    # What is not known is taken to have been so from the beginning.
    op.execute(
        "INSERT INTO product_prices (business_id, product_id, effective_at, name, sku, price, currency, tax_rate)"
        " SELECT business_id, id, created_at, name, sku, price, currency, tax_rate FROM products"
    )
    op.execute(_APPEND_ONLY)


def _create_returns() -> None:
    op.add_column("reservation_lines", sa.Column("returned", sa.BigInteger, nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_reservation_lines_returned_of_quantity"),
        "reservation_lines",
        "returned >= 0 AND returned <= quantity",
    )
    op.add_column("stock_movements", sa.Column("return_id", sa.Uuid))
    op.create_check_constraint(
        op.f("ck_stock_movements_return_named"), "stock_movements", "(type = 'RETURN') = (return_id IS NOT NULL)"
    )
    op.create_index(
        "uq_stock_movements_business_id_return_id_product_id",
        "stock_movements",
        ["business_id", "return_id", "product_id"],
        unique=True,
        postgresql_where=sa.text("type = 'RETURN'"),
    )


def downgrade() -> None:
    op.drop_index("uq_stock_movements_business_id_return_id_product_id", "stock_movements")
    op.drop_constraint(op.f("ck_stock_movements_return_named"), "stock_movements")
    op.drop_column("stock_movements", "return_id")
    op.drop_constraint(op.f("ck_reservation_lines_returned_of_quantity"), "reservation_lines")
    op.drop_column("reservation_lines", "returned")
    op.execute("DROP TRIGGER remember_price ON products")
    op.execute("DROP TRIGGER remember_first_price ON products")
    op.execute("DROP FUNCTION remember_price()")
    unsecure("product_prices")
    op.drop_table("product_prices")
