from analytics.aggregates import models as aggregates
from analytics.base import Base
from analytics.eventlog import models as eventlog
from analytics.facts import models as facts
from analytics.rebuild import models as rebuild
from analytics.weekly import models as weekly
from chassis.database.migrations import run_env

__all__ = ["aggregates", "eventlog", "facts", "rebuild", "weekly"]

run_env(Base.metadata)
