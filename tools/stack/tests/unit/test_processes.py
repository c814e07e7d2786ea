"""Processes end when they should, with everything they started, and never by mistake."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from stack import blocking, processes
from stack.processes import Identity


def spawn(tmp_path: Path, script: str) -> subprocess.Popen[bytes]:
    return processes.spawn(["sh", "-c", script], environment=os.environ, log=tmp_path / "log")


def wait_for_line(log: Path) -> str:
    assert blocking.poll(lambda: log.exists() and "\n" in log.read_text(), timeout=10)
    return log.read_text().splitlines()[0]


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    spawn(tmp_path, "echo out; echo err >&2").wait()
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_stopping_ends_the_whole_tree(tmp_path: Path) -> None:
    parent = spawn(tmp_path, "sleep 60 & echo $!; wait")
    child = Identity.of(int(wait_for_line(tmp_path / "log")))
    processes.stop(parent)
    assert not child.alive()


def test_a_process_that_ignores_the_request_is_killed_in_bounded_time(tmp_path: Path) -> None:
    stubborn = spawn(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    wait_for_line(tmp_path / "log")
    assert processes.stop(stubborn, grace=0.5) == -signal.SIGKILL


def test_a_frozen_process_can_still_end_in_its_own_way(tmp_path: Path) -> None:
    polite = spawn(tmp_path, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    wait_for_line(tmp_path / "log")
    processes.signal_tree(polite.pid, signal.SIGSTOP)
    assert processes.stop(polite, grace=10) == 7


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, time; from stack import processes;"
        f"child = processes.spawn(['sleep', '60'], environment=os.environ, log=pathlib.Path({str(tmp_path / 'c')!r}));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = Identity.of(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert blocking.poll(lambda: not child.alive(), timeout=10)


def test_an_ended_process_is_not_alive_even_before_it_is_reaped() -> None:
    process = subprocess.Popen(["true"])
    identity = Identity.of(process.pid)
    assert blocking.poll(lambda: not identity.alive(), timeout=10)
    process.wait()
