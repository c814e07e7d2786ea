"""`status`: what runs, where, and whether it is ready."""

import argparse

from stack import runner
from stack.console import say, show
from stack.repository import data_dir
from stack.state import ComponentState, RunFile

HELP = "show every process of the suite; exit code 1 unless all of it is ready"


def register(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(arguments: argparse.Namespace) -> int:
    state = RunFile(data_dir()).read()
    if state is None:
        say("nothing is running")
        return 1
    if not state.supervisor.alive():
        say("the last run was interrupted; `make up` starts again, `make down` cleans up")
        return 1
    rows = [(component, _condition(component)) for component in state.components]
    show(f"{'NAME':<15} {'PID':>8}  {'STATE':<10} {'RESTARTS':>8}  ADDRESS")
    for component, condition in rows:
        show(
            f"{component.name:<15} {component.pid or '-':>8}  {condition:<10} {component.restarts:>8}  "
            f"{component.url or ''}"
        )
    show(f"\n{state.phase}")
    return 0 if state.phase == "ready" and all(condition in {"ready", "running"} for _, condition in rows) else 1


def _condition(component: ComponentState) -> str:
    if component.identity is None or not component.identity.alive():
        return "down"
    if component.ready_url is None:
        return "running"
    return "ready" if runner.is_ready(component.ready_url) else "not ready"
