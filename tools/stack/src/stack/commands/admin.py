"""`admin`: makes an administrator in the suite that runs in this checkout."""

import argparse
import subprocess
import sys
from pathlib import Path

import psutil

from stack.errors import StackError
from stack.repository import data_dir
from stack.state import RunFile

HELP = "make a user of the running suite an administrator; asks for the password of a new one"
_SERVICE = "auth"


def register(parser: argparse.ArgumentParser) -> None:
    """The user."""
    parser.add_argument("--phone", required=True, help="in E.164 form, such as +525512345678")


def run(arguments: argparse.Namespace) -> int:
    command = [sys.executable, "-m", _SERVICE, "create-admin", "--phone", arguments.phone]
    return subprocess.run(command, env=environment_of_auth(data_dir()), check=False).returncode


def environment_of_auth(data: Path) -> dict[str, str]:
    """What the running service was told: its database, and the secrets that passwords are kept under."""
    state = RunFile(data).read()
    components = state.components if state is not None and state.supervisor.alive() else ()
    identity = next((item.identity for item in components if item.name == _SERVICE), None)
    process = None if identity is None else identity.process()
    if process is None:
        raise StackError("No suite runs here. Start one with `make up`, or see `python -m auth create-admin`.")
    try:
        return dict(process.environ())
    except psutil.Error as error:
        raise StackError(f"The service's settings cannot be read: {error}") from error
