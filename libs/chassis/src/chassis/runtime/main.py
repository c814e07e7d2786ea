"""The command line of a service: `python -m <service> serve | worker | all | migrate | re-encrypt`, and its own
commands."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from chassis.runtime.command import Command, Tool
from chassis.runtime.process import Build, LoopDied, Mode, run_process
from chassis.runtime.reencrypt import reencrypt_command
from chassis.settings import ServiceSettings, load
from chassis.telemetry.logs import configure_logs
from chassis.telemetry.tracing import configure_tracing

# EX_SOFTWARE of sysexits.h: the supervisor restarts what ends this way.
_EXIT_LOOP_DIED = 70
_MODES = {
    Mode.SERVE: "answer HTTP and gRPC",
    Mode.WORKER: "consume events and run the jobs",
    Mode.ALL: "both in one process",
}


def main(
    name: str,
    settings_type: type[ServiceSettings],
    build: Build,
    *,
    migrations: Path | None = None,
    commands: Sequence[Command[Any] | Tool] = (),
) -> None:
    """Parse the command, then run. `build` is the composition root: it gets a Kit inside the running loop."""
    if migrations is not None:
        commands = [reencrypt_command(name, build), *commands]
    arguments = _parser(name, migrations, commands).parse_args()
    for own in commands:
        if isinstance(own, Tool) and own.name == arguments.command:
            sys.exit(own.run(arguments))
    settings = load(settings_type)
    configure_logs(name, settings.common.log_level)
    for own in commands:
        if isinstance(own, Command) and own.name == arguments.command:
            sys.exit(own.run(settings, arguments))
    if arguments.command == "migrate":
        assert migrations is not None
        url = settings.migration_database_url
        if url is None:
            sys.exit(f"settings: {name.upper()}_MIGRATION_DATABASE_URL (Field required)")
        # Alembic costs 8 MiB that a serving process need not pay.
        from chassis.database.migrations import upgrade  # noqa: PLC0415

        upgrade(migrations, url.get_secret_value())
        return
    provider = configure_tracing(name, settings.common)
    # What is loaded by now lives as long as the process: it is never looked through again, and what requests leave
    # behind is looked through less often than Python's default of every 700 objects.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_process(name, settings, build, Mode(arguments.command)))
    except LoopDied:
        sys.exit(_EXIT_LOOP_DIED)
    finally:
        provider.shutdown()


def _parser(name: str, migrations: Path | None, commands: Sequence[Command[Any] | Tool]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for mode, help_text in _MODES.items():
        choices.add_parser(mode.value, help=help_text)
    if migrations is not None:
        choices.add_parser("migrate", help="bring the database to the newest revision")
    for own in commands:
        own.arguments(choices.add_parser(own.name, help=own.help, description=own.help))
    return parser
