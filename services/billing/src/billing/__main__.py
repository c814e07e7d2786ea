"""`python -m billing serve | worker | migrate | all`."""

from pathlib import Path

from chassis.runtime import main

from billing.app import build
from billing.settings import BillingSettings

MIGRATIONS = Path(__file__).parents[2] / "migrations"

if __name__ == "__main__":
    main("billing", BillingSettings, build, migrations=MIGRATIONS)
