"""The service's tables."""

from __future__ import annotations

from chassis.database.base import NAMING
from chassis.database.base import Base as ChassisBase
from sqlalchemy import MetaData


class Base(ChassisBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)
