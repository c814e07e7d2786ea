from chassis.database.migrations import run_env
from sales.sales.models import Base

run_env(Base.metadata)
