"""PostgreSQL: engine, unit of work, idempotency, migrations."""

from chassis.database.driver import SCOPED, UNSYNCED, ScopedConnection, Statement, scope_parameters
from chassis.database.engine import Database
from chassis.database.unit import UnitOfWork

__all__ = ["SCOPED", "UNSYNCED", "Database", "ScopedConnection", "Statement", "UnitOfWork", "scope_parameters"]
