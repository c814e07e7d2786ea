"""The products table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from kernel import Money
from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Identity, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base

_LIVING = text("deleted_at IS NULL")
_SEARCHED = "product_search_text(name, sku, barcode, category, description)"


class Product(Base):
    """`price` and `cost` are tax-inclusive and in `currency`, the business's; `tax_rate` is a fraction such as 0.16.

    `min_stock` is the least that should lie in each branch. `version` grows by one with every change.
    """

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 1", name="tax_rate_fraction"),
        CheckConstraint("min_stock >= 0", name="min_stock_not_negative"),
        Index(
            "ix_products_business_id_created_at_id",
            "business_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=_LIVING,
        ),
        Index(
            "ix_products_business_id_category_created_at_id",
            "business_id",
            "category",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=_LIVING,
        ),
        Index("uq_products_business_id_sku", "business_id", "sku", unique=True, postgresql_where=_LIVING),
        Index("uq_products_business_id_barcode", "business_id", "barcode", unique=True, postgresql_where=_LIVING),
        Index(
            "ix_products_business_id_search", "business_id", "search", postgresql_using="gin", postgresql_where=_LIVING
        ),
        Index(
            "ix_products_business_id_search_text",
            "business_id",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
            postgresql_where=_LIVING,
        ),
    )
    # The generated columns serve WHERE clauses alone; nothing needs them back after a write.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 - SQLAlchemy reads it from the class

    id: Mapped[Id]
    business_id: Mapped[UUID]
    name: Mapped[str]
    sku: Mapped[str | None]
    barcode: Mapped[str | None]
    description: Mapped[str | None]
    category: Mapped[str | None]
    currency: Mapped[str]
    price: Mapped[Decimal]
    cost: Mapped[Decimal | None]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    min_stock: Mapped[int] = mapped_column(server_default="0")
    image_url: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]

    search_text: Mapped[str | None] = mapped_column(Text, Computed(_SEARCHED, persisted=True), deferred=True)
    search: Mapped[str | None] = mapped_column(
        TSVECTOR, Computed(f"to_tsvector('simple'::regconfig, {_SEARCHED})", persisted=True), deferred=True
    )

    def money(self, amount: Decimal) -> Money:
        """An amount of this product's, such as its price."""
        return Money.of(amount, self.currency)


class ProductPrice(Base):
    """What a product was called and cost from `effective_at` on. Append-only; a trigger on products writes it."""

    __tablename__ = "product_prices"
    __table_args__ = (Index("ix_product_prices_product_id_effective_at", "product_id", "effective_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    business_id: Mapped[UUID]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    effective_at: Mapped[datetime]
    name: Mapped[str]
    sku: Mapped[str | None]
    price: Mapped[Decimal]
    currency: Mapped[str]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))


class Generation(Base):
    """How often the products of a business have changed, for what is cached of them (catalog.products.cache)."""

    __tablename__ = "catalog_generations"

    business_id: Mapped[Id]
    generation: Mapped[int] = mapped_column(BigInteger, server_default="1")
