"""Products, stock levels and movements, reservations."""

import sqlalchemy as sa
from alembic import op
from chassis.database.migrations import create_plumbing
from sqlalchemy.dialects import postgresql

revision = "products_stock_reservations"
down_revision = None

_LIVING = sa.text("deleted_at IS NULL")
_NEWEST_FIRST = (sa.text("created_at DESC"), sa.text("id DESC"))
_SEARCHED = "product_search_text(name, sku, barcode, category, description)"

# Without accents, case and punctuation; unaccent() itself is only STABLE, for its rules could be edited.
_SEARCH_FORM = """
CREATE FUNCTION search_form(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(translate(extensions.unaccent('extensions.unaccent'::regdictionary, value),
                       '!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~', repeat(' ', 32)))
"""
_SEARCH_TEXT = """
CREATE FUNCTION product_search_text(name text, sku text, barcode text, category text, description text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_form(name || ' ' || coalesce(sku, '') || ' ' || coalesce(barcode, '') || ' ' || coalesce(category, '')
                   || ' ' || coalesce(description, ''))
"""
# Every word of the query must begin a word of the product. NULL, which matches nothing, for a query without words.
_SEARCH_QUERY = """
CREATE FUNCTION search_query(value text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT to_tsquery('simple'::regconfig, string_agg(quote_literal(word) || ':*', ' & '))
        FROM regexp_split_to_table(search_form(value), ' +') AS word WHERE word <> '')
"""
_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""
_APPEND_ONLY_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON stock_movements
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    create_plumbing()
    for statement in (_SEARCH_FORM, _SEARCH_TEXT, _SEARCH_QUERY, _APPEND_ONLY):
        op.execute(statement)
    _create_products()
    _create_stock()
    _create_reservations()


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sku", sa.Text),
        sa.Column("barcode", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("price", sa.Numeric(18, 2), nullable=False),
        sa.Column("cost", sa.Numeric(18, 2)),
        sa.Column("tax_rate", sa.Numeric(5, 4), nullable=False),
        sa.Column("min_stock", sa.Integer, nullable=False, server_default="0"),
        sa.Column("image_url", sa.Text),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("search_text", sa.Text, sa.Computed(_SEARCHED, persisted=True)),
        sa.Column(
            "search", postgresql.TSVECTOR, sa.Computed(f"to_tsvector('simple'::regconfig, {_SEARCHED})", persisted=True)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_products_price_not_negative")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_products_cost_not_negative")),
        sa.CheckConstraint("tax_rate >= 0 AND tax_rate < 1", name=op.f("ck_products_tax_rate_fraction")),
        sa.CheckConstraint("min_stock >= 0", name=op.f("ck_products_min_stock_not_negative")),
    )
    op.create_index(
        "ix_products_business_id_created_at_id", "products", ["business_id", *_NEWEST_FIRST], postgresql_where=_LIVING
    )
    op.create_index(
        "ix_products_business_id_category_created_at_id",
        "products",
        ["business_id", "category", *_NEWEST_FIRST],
        postgresql_where=_LIVING,
    )
    for column in ("sku", "barcode"):
        op.create_index(
            f"uq_products_business_id_{column}",
            "products",
            ["business_id", column],
            unique=True,
            postgresql_where=_LIVING,
        )
    op.create_index("ix_products_search", "products", ["search"], postgresql_using="gin", postgresql_where=_LIVING)
    op.create_index(
        "ix_products_search_text",
        "products",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=_LIVING,
    )


def _create_stock() -> None:
    op.create_table(
        "stock_levels",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("on_hand", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_levels")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id_products")),
        sa.UniqueConstraint("product_id", "branch_id", name=op.f("uq_stock_levels_product_id_branch_id")),
        sa.CheckConstraint("reserved >= 0 AND on_hand >= reserved", name=op.f("ck_stock_levels_covers_reserved")),
        # Room on the page for the next version of a row that every sale updates.
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("on_hand", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("sale_id", sa.Uuid),
        sa.Column("transfer_id", sa.Uuid),
        sa.Column("other_branch_id", sa.Uuid),
        sa.Column("created_by", sa.Uuid),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_movements_product_id_products")),
        sa.CheckConstraint(
            "type IN ('IN', 'OUT', 'ADJUSTMENT', 'TRANSFER', 'SALE', 'RETURN')",
            name=op.f("ck_stock_movements_type_known"),
        ),
        sa.CheckConstraint("change <> 0", name=op.f("ck_stock_movements_change_not_zero")),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_movements_on_hand_not_negative")),
        sa.CheckConstraint(
            "(type IN ('SALE', 'RETURN')) = (sale_id IS NOT NULL)", name=op.f("ck_stock_movements_sale_named")
        ),
        sa.CheckConstraint(
            "(type = 'TRANSFER') = (transfer_id IS NOT NULL)", name=op.f("ck_stock_movements_transfer_named")
        ),
    )
    op.create_index("ix_stock_movements_product_id_created_at_id", "stock_movements", ["product_id", *_NEWEST_FIRST])
    op.create_index(
        "uq_stock_movements_sale_id_product_id",
        "stock_movements",
        ["sale_id", "product_id"],
        unique=True,
        postgresql_where=sa.text("type = 'SALE'"),
    )
    op.execute(_APPEND_ONLY_TRIGGER)


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("sale_id", sa.Uuid, nullable=False),
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_reservations")),
        sa.CheckConstraint(
            "status IN ('RESERVED', 'COMMITTED', 'RELEASED')", name=op.f("ck_reservations_status_known")
        ),
        sa.CheckConstraint(
            "status = 'RELEASED' OR (branch_id IS NOT NULL AND expires_at IS NOT NULL)",
            name=op.f("ck_reservations_complete"),
        ),
    )
    op.create_index(
        "ix_reservations_expires_at", "reservations", ["expires_at"], postgresql_where=sa.text("status = 'RESERVED'")
    )
    op.create_table(
        "reservation_lines",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("sale_id", sa.Uuid, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sku", sa.Text),
        sa.Column("unit_price", sa.Numeric(18, 2), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 4), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation_lines")),
        sa.ForeignKeyConstraint(
            ["sale_id"], ["reservations.sale_id"], name=op.f("fk_reservation_lines_sale_id_reservations")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_reservation_lines_product_id_products")),
        sa.UniqueConstraint("sale_id", "product_id", name=op.f("uq_reservation_lines_sale_id_product_id")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_lines_quantity_positive")),
    )
