"""A suite is known to run by its lock, and what a killed one left is recognised by process, not by number."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.errors import StackError
from stack.processes import Identity
from stack.state import ComponentState, RunFile, RunState


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def state_with(*components: ComponentState) -> RunState:
    return RunState(Identity.of(os.getpid()), "ready", components)


def component(pid: int, started: float) -> ComponentState:
    return ComponentState(
        "sleeper", pid, started, url="http://127.0.0.1:1", ready_url="http://127.0.0.1:1/r", restarts=2
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path)
    state = state_with(component(1, 2.0), ComponentState("gone", None, None))
    run_file.write(state)
    assert run_file.read() == state


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"supervisor": 1, "components": [], "phase": "x"}'])
def test_a_damaged_file_is_no_state(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert RunFile(tmp_path).read() is None


def test_a_second_suite_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first, second = RunFile(tmp_path), RunFile(tmp_path)
    first.acquire()
    first.write(state_with())
    with pytest.raises(StackError, match=f"already running.*{os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_leftovers_are_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    identity = Identity.of(sleeper.pid)
    run_file = RunFile(tmp_path)
    run_file.write(state_with(component(identity.pid, identity.started)))
    assert list(run_file.end_leftovers()) == ["sleeper"]
    assert not identity.alive()
    assert run_file.read() is None


def test_a_process_that_got_the_number_of_a_leftover_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    identity = Identity.of(sleeper.pid)
    run_file = RunFile(tmp_path)
    run_file.write(state_with(component(identity.pid, identity.started - 100)))
    assert list(run_file.end_leftovers()) == []
    assert sleeper.poll() is None
