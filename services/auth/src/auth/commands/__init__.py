"""What an operator runs by hand: `python -m auth <command>`."""

from __future__ import annotations

from chassis.runtime import Command

from auth.commands.create_admin import CREATE_ADMIN
from auth.settings import AuthSettings

COMMANDS: tuple[Command[AuthSettings], ...] = (CREATE_ADMIN,)
