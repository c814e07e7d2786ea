from chassis.database.base import Base
from chassis.database.migrations import run_env

run_env(Base.metadata)
