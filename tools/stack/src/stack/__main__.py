"""The command line: `python -m stack COMMAND`."""

import argparse
import signal
import sys
from types import FrameType, ModuleType

from stack.commands import admin, demo, down, infra, provision, rollout, secrets, seed, status, up
from stack.console import say
from stack.errors import StackError

COMMANDS: dict[str, ModuleType] = {
    "up": up,
    "down": down,
    "status": status,
    "rollout": rollout,
    "demo": demo,
    "seed": seed,
    "admin": admin,
    "secrets": secrets,
    "provision": provision,
    "infra": infra,
}


def main() -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m stack", description="Runs Cobro on this machine.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        module.register(commands.add_parser(name, help=module.HELP, description=module.HELP))
    arguments = parser.parse_args()
    # SIGTERM then unwinds the stack like Ctrl-C does, so that what was started is stopped.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return int(COMMANDS[arguments.name].run(arguments))
    except StackError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _terminate(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
