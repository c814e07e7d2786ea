"""`down`: stops what `up` started, from any terminal."""

import argparse

from stack import processes
from stack.console import say
from stack.infra import docker
from stack.repository import data_dir
from stack.state import RunFile

HELP = "stop the running suite, or what an interrupted one left behind; the data stay"
# What `up` itself allows its services and servers to take, and a little more.
_GRACE_SECONDS = 90.0


def register(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(arguments: argparse.Namespace) -> int:
    run_file = RunFile(data_dir())
    state = run_file.read()
    if state is None:
        say("nothing is running")
        return 0
    if state.supervisor.alive():
        say("stopping; the services finish what they are doing")
        processes.stop_stranger(state.supervisor, grace=_GRACE_SECONDS)
    run_file.acquire()
    try:
        if leftovers := run_file.end_leftovers():
            say(f"ended what was left: {', '.join(leftovers)}")
        docker.prune()
    finally:
        run_file.release()
    say("stopped")
    return 0
