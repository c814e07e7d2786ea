"""PostgreSQL: engine, unit of work, idempotency, migrations."""

from chassis.database.driver import Statement
from chassis.database.engine import Database
from chassis.database.unit import UnitOfWork

__all__ = ["Database", "Statement", "UnitOfWork"]
