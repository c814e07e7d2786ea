"""`infra -- COMMAND`: throwaway servers for the time a command runs."""

import argparse
import os
import signal
import subprocess

from stack.console import say
from stack.errors import StackError
from stack.infra import Infrastructure, locate
from stack.infra.server import Kind

TEST_VARIABLES = {
    Kind.POSTGRES: "TEST_POSTGRES_URL",
    Kind.REDIS: "TEST_REDIS_URL",
    Kind.RABBITMQ: "TEST_RABBITMQ_URL",
}
HELP = "start throwaway servers, run a command with TEST_POSTGRES_URL, TEST_REDIS_URL and TEST_RABBITMQ_URL, stop them"


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND [ARGUMENT ...]")


def run(arguments: argparse.Namespace) -> int:
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise StackError("Name the command to run: python -m stack infra -- COMMAND")
    with locate(notify=say) as infrastructure:
        try:
            child = subprocess.Popen(command, env={**os.environ, **test_environment(infrastructure)})
        except OSError as error:
            raise StackError(f"{command[0]}: {error.strerror}") from error
        return _wait(child)


def test_environment(infrastructure: Infrastructure) -> dict[str, str]:
    """The variables the tests' fixtures read."""
    return {name: infrastructure.url(kind) for kind, name in TEST_VARIABLES.items()}


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The command's exit code. Ctrl-C reaches it by itself, for it shares our terminal; SIGTERM is passed on."""
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue
        except SystemExit:
            child.send_signal(signal.SIGTERM)
            continue
        return code if code >= 0 else 128 - code
