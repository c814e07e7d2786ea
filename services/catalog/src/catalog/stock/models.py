"""Stock levels, and the movements whose sum they are."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.database.base import Id, Version
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base
from catalog.stock.movement import MovementType

RETURN_KEY: Final = "uq_stock_movements_business_id_return_id_product_id"
_TYPES = ", ".join(f"'{kind.value}'" for kind in MovementType)


class StockLevel(Base):
    """One row per product and branch. on_hand = sum of its movements' changes; reserved = sum of its open reservations.

    `version` counts the changes of on_hand. `allow_negative` is the business's setting, told to each new level by a
    trigger and to all others by whoever changes it.
    """

    __tablename__ = "stock_levels"
    __table_args__ = (
        UniqueConstraint("product_id", "branch_id"),
        CheckConstraint("reserved >= 0 AND (allow_negative OR on_hand >= reserved)", name="covers_reserved"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    branch_id: Mapped[UUID]
    on_hand: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[Version]
    allow_negative: Mapped[bool] = mapped_column(server_default=false())


class StockMovement(Base):
    """Append-only (a trigger refuses the rest). `change` is the signed difference of the branch's on_hand, `on_hand`
    what lay there afterwards. A transfer is two rows with one transfer_id, each naming the other branch."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint(f"type IN ({_TYPES})", name="type_known"),
        CheckConstraint("change <> 0", name="change_not_zero"),
        CheckConstraint("(type IN ('SALE', 'RETURN')) = (sale_id IS NOT NULL)", name="sale_named"),
        CheckConstraint("(type = 'RETURN') = (return_id IS NOT NULL)", name="return_named"),
        CheckConstraint("(type = 'TRANSFER') = (transfer_id IS NOT NULL)", name="transfer_named"),
        Index("ix_stock_movements_business_id_created_at_id", "business_id", text("created_at DESC"), text("id DESC")),
        Index("ix_stock_movements_product_id_created_at_id", "product_id", text("created_at DESC"), text("id DESC")),
        Index(
            "uq_stock_movements_sale_id_product_id",
            "sale_id",
            "product_id",
            unique=True,
            postgresql_where=text("type = 'SALE'"),
        ),
        Index(
            RETURN_KEY,
            "business_id",
            "return_id",
            "product_id",
            unique=True,
            postgresql_where=text("type = 'RETURN'"),
        ),
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    branch_id: Mapped[UUID]
    type: Mapped[str]
    change: Mapped[int] = mapped_column(BigInteger)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    sale_id: Mapped[UUID | None]
    return_id: Mapped[UUID | None]
    transfer_id: Mapped[UUID | None]
    other_branch_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
