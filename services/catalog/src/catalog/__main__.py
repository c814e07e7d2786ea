"""`python -m catalog serve | worker | migrate | all`."""

from chassis.runtime import main

from catalog.app import MIGRATIONS, build
from catalog.settings import CatalogSettings

if __name__ == "__main__":
    main("catalog", CatalogSettings, build, migrations=MIGRATIONS)
