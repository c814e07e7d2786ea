"""`python -m auth serve | worker | migrate | all`, and the commands of auth/commands."""

from chassis.runtime import main

from auth.app import MIGRATIONS, build
from auth.commands import COMMANDS
from auth.settings import AuthSettings

if __name__ == "__main__":
    main("auth", AuthSettings, build, migrations=MIGRATIONS, commands=COMMANDS)
