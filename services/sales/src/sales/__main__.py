"""`python -m sales serve | worker | migrate | all`."""

from __future__ import annotations

from chassis.runtime import main

from sales.app import MIGRATIONS, build
from sales.settings import SalesSettings

if __name__ == "__main__":
    main("sales", SalesSettings, build, migrations=MIGRATIONS)
