from chassis.database.migrations import run_env
from payments.refunds.models import metadata  # holds every table: refunds refer to payments

run_env(metadata)
