"""`python -m payments serve | worker | all | migrate`"""

from __future__ import annotations

from pathlib import Path

from chassis.runtime import main

from payments.app import build
from payments.settings import PaymentsSettings

MIGRATIONS = Path(__file__).parents[2] / "migrations"

if __name__ == "__main__":
    main("payments", PaymentsSettings, build, migrations=MIGRATIONS)
