"""Queries over sales that were made offline."""

from __future__ import annotations

from chassis.database import UnitOfWork
from sqlalchemy.exc import IntegrityError

from sales.sales.models import Sale


async def insert(unit: UnitOfWork, sale: Sale) -> bool:
    """False where a sale of this id exists already, whoever's it is; nothing is changed then."""
    try:
        async with unit.session.begin_nested():
            unit.session.add(sale)
            await unit.session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) != "pk_sales":
            raise
        return False
    return True
