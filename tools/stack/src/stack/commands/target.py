"""Which running suite a command talks to: the addresses given, those of `up` in this checkout, or the usual ones."""

import argparse
import os

from stack.errors import StackError
from stack.repository import data_dir
from stack.runner import is_ready
from stack.services import TWINS, TWINS_PORT, find
from stack.state import RunFile


def register(parser: argparse.ArgumentParser) -> None:
    """Options of every command that talks to a running suite."""
    parser.add_argument("--gateway", default=os.environ.get("GATEWAY_URL"), help="base address of the gateway")
    parser.add_argument("--twins", default=os.environ.get("TWINS_URL"), help="base address of the twins")


def gateway_url(arguments: argparse.Namespace) -> str:
    """Base address of the gateway."""
    return _url(arguments.gateway, "gateway", find("gateway").http_port, "GATEWAY_URL")


def twins_url(arguments: argparse.Namespace) -> str:
    """Base address of the twins."""
    return _url(arguments.twins, TWINS, TWINS_PORT, "TWINS_URL")


def _url(given: str | None, name: str, usual_port: int, variable: str) -> str:
    if given:
        return given.rstrip("/")
    state = RunFile(data_dir()).read()
    if state is not None and state.supervisor.alive():
        for component in state.components:
            if component.name == name and component.url:
                return component.url
    # Where docker-compose publishes it.
    usual = f"http://127.0.0.1:{usual_port}"
    if is_ready(f"{usual}/health/ready"):
        return usual
    raise StackError(f"No suite runs here. Start one with `make up` or `docker compose up`, or set {variable}.")
