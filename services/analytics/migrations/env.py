from analytics.base import Base
from analytics.facts import models
from chassis.database.migrations import run_env

__all__ = ["models"]

run_env(Base.metadata)
