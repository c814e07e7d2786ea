"""`python -m webhooks serve | worker | migrate | all`."""

from chassis.runtime import main

from webhooks.app import MIGRATIONS, build
from webhooks.settings import WebhooksSettings

if __name__ == "__main__":
    main("webhooks", WebhooksSettings, build, migrations=MIGRATIONS)
