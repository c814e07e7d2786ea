"""Search reads the one business's part of its indexes; what was cached of a catalogue goes with its generation.

The new indexes are built beside the old ones, with sales going on, and the old ones dropped after that.
"""

import sqlalchemy as sa
from alembic import op
from chassis.database.row_security import secure_tables, unsecure

revision = "search_by_business"
down_revision = "catalog_settings"
branch_labels = None
depends_on = None

_LIVING = sa.text("deleted_at IS NULL")
_NEWEST_FIRST = (sa.text("created_at DESC"), sa.text("id DESC"))
_SEARCHES = {
    "ix_products_business_id_search": ("search", {}),
    "ix_products_business_id_search_text": ("search_text", {"search_text": "gin_trgm_ops"}),
}
_MOVEMENTS = "ix_stock_movements_business_id_created_at_id"


def upgrade() -> None:
    op.create_table(
        "catalog_generations",
        sa.Column("business_id", sa.Uuid, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_catalog_generations")),
    )
    secure_tables({"catalog_generations": "business_id"})
    with op.get_context().autocommit_block():
        for name, (column, ops) in _SEARCHES.items():
            # One that was interrupted is there and of no use.
            op.execute(f"DROP INDEX IF EXISTS {name}")
            op.create_index(
                name,
                "products",
                ["business_id", column],
                postgresql_using="gin",
                postgresql_ops=ops,
                postgresql_where=_LIVING,
                postgresql_concurrently=True,
            )
        op.execute(f"DROP INDEX IF EXISTS {_MOVEMENTS}")
        op.create_index(_MOVEMENTS, "stock_movements", ["business_id", *_NEWEST_FIRST], postgresql_concurrently=True)
    op.drop_index("ix_products_search", "products", if_exists=True)
    op.drop_index("ix_products_search_text", "products", if_exists=True)


def downgrade() -> None:
    op.create_index("ix_products_search", "products", ["search"], postgresql_using="gin", postgresql_where=_LIVING)
    op.create_index(
        "ix_products_search_text",
        "products",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=_LIVING,
    )
    op.drop_index(_MOVEMENTS, "stock_movements")
    for name in _SEARCHES:
        op.drop_index(name, "products")
    unsecure("catalog_generations")
    op.drop_table("catalog_generations")
