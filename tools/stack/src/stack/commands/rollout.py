"""`rollout`: replaces the processes of services one after the other, while the suite serves."""

import argparse

from stack import control
from stack.console import say
from stack.errors import StackError
from stack.repository import data_dir
from stack.services import SERVICES
from stack.state import RunFile

HELP = "replace services' processes by new ones, one after the other, without a failed request"
# The new process becomes ready, the old one drains and ends.
_SECONDS = 180.0


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="+", choices=[*(service.name for service in SERVICES), "all"])


def run(arguments: argparse.Namespace) -> int:
    state = RunFile(data_dir()).read()
    if state is None or not state.supervisor.alive():
        raise StackError("nothing is running")
    everything = [service.name for service in SERVICES if service.installed()]
    for name in everything if "all" in arguments.services else arguments.services:
        control.ask(data_dir(), "rollout", name, timeout=_SECONDS)
        say(f"{name}: a new process serves")
    return 0
