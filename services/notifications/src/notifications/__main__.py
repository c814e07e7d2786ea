"""`python -m notifications serve | worker | migrate | all`."""

from pathlib import Path

from chassis.runtime import main

from notifications.app import build
from notifications.settings import NotificationsSettings

MIGRATIONS = Path(__file__).parents[2] / "migrations"

if __name__ == "__main__":
    main("notifications", NotificationsSettings, build, migrations=MIGRATIONS)
