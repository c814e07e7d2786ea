import payments.accounts.models
import payments.methods.models
import payments.reconciliation.models
import payments.refunds.models
from chassis.database.migrations import run_env

run_env(payments.refunds.models.metadata)
