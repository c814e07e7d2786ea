"""The metadata of this service's tables."""

from __future__ import annotations

from chassis.database import base
from sqlalchemy import MetaData


class Base(base.Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=base.NAMING)
