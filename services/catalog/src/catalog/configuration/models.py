"""The settings of a business's catalogue."""

from __future__ import annotations

from chassis.database.base import CreatedAt, Id
from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base


class Configuration(Base):
    """One row per business, made with its first stock level or its first change. Levels repeat `allow_negative_stock`
    (catalog.stock.models.StockLevel)."""

    __tablename__ = "catalog_settings"

    business_id: Mapped[Id]
    allow_negative_stock: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
