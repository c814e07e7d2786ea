from chassis.database.migrations import run_env
from webhooks.base import Base
from webhooks.inbound import models

__all__ = ["models"]

run_env(Base.metadata)
