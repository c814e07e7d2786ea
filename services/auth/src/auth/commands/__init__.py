"""What an operator runs by hand: `python -m auth <command>`."""

from __future__ import annotations

from chassis.runtime import Command, Tool

from auth.commands.create_admin import CREATE_ADMIN
from auth.commands.new_key import NEW_KEY
from auth.settings import AuthSettings

COMMANDS: tuple[Command[AuthSettings] | Tool, ...] = (CREATE_ADMIN, NEW_KEY)
