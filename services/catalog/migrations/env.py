from catalog.models import Base
from chassis.database.migrations import run_env

run_env(Base.metadata)
