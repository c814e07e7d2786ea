"""`python -m analytics serve | worker | migrate | all | rebuild`."""

from chassis.runtime import main

from analytics.app import MIGRATIONS, build
from analytics.rebuild.commands import REBUILD
from analytics.settings import AnalyticsSettings

if __name__ == "__main__":
    main("analytics", AnalyticsSettings, build, migrations=MIGRATIONS, commands=[REBUILD])
