from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.commands.admin import environment_of_auth
from stack.errors import StackError
from stack.processes import Identity
from stack.state import ComponentState, RunFile, RunState


@pytest.fixture
def auth() -> Iterator[Identity]:
    """A process that was told something, as the service was."""
    with subprocess.Popen(["sleep", "60"], env={"PASSWORD_PEPPER": "of this suite"}) as process:
        yield Identity.of(process.pid)
        process.kill()


def running(data: Path, name: str, identity: Identity) -> None:
    supervisor = Identity.of(os.getpid())
    RunFile(data).write(RunState(supervisor, "ready", [ComponentState(name, identity.pid, identity.started)]))


def test_the_command_is_told_what_the_running_service_was_told(tmp_path: Path, auth: Identity) -> None:
    running(tmp_path, "auth", auth)
    assert environment_of_auth(tmp_path)["PASSWORD_PEPPER"] == "of this suite"


def test_without_the_service_it_says_what_to_do(tmp_path: Path, auth: Identity) -> None:
    with pytest.raises(StackError, match="make up"):
        environment_of_auth(tmp_path)
    running(tmp_path, "catalog", auth)
    with pytest.raises(StackError, match="make up"):
        environment_of_auth(tmp_path)
