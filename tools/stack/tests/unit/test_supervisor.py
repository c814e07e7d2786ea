"""What ends by itself comes back, what was ended on purpose stays down."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import blocking
from stack.supervisor import Component, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


class Running:
    """A supervisor with one component, tended in the background."""

    def __init__(self, log: Path, *argv: str) -> None:
        self.messages: list[str] = []
        self.supervisor = Supervisor(first_delay=0.05, notify=self.messages.append)
        self.supervisor.add(Component("it", argv, os.environ, log))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self.supervisor.tend_until, args=(self._end,), kwargs={"interval": 0.02})
        self._thread.start()
        self.supervisor.start("it")

    @property
    def component(self) -> Component:
        return self.supervisor["it"]

    def end(self) -> None:
        self._end.set()
        self._thread.join()
        self.supervisor.stop_all(grace=2)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    supervised = Running(tmp_path / "log", *SLEEP)
    yield supervised
    supervised.end()


def test_a_process_that_ends_by_itself_is_started_again(running: Running) -> None:
    first = running.component.identity()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    assert blocking.poll(lambda: running.component.identity() not in {None, first}, timeout=10)
    assert running.component.restarts == 1
    assert "SIGKILL" in running.messages[0]


def test_a_killed_one_stays_down_until_it_is_started(running: Running) -> None:
    running.supervisor.kill("it")
    assert not blocking.poll(running.component.running, timeout=0.5)
    running.supervisor.start("it")
    assert running.component.running()


def test_a_frozen_one_is_neither_restarted_nor_lost(running: Running) -> None:
    first = running.component.identity()
    running.supervisor.kill("it", signal.SIGSTOP)
    assert not blocking.poll(lambda: running.component.identity() != first, timeout=0.3)
    running.supervisor.kill("it", signal.SIGCONT)
    assert running.component.identity() == first


def test_the_delay_grows_while_it_keeps_ending(tmp_path: Path) -> None:
    failing = Running(tmp_path / "log", sys.executable, "-c", "raise SystemExit(3)")
    try:
        assert blocking.poll(lambda: len(failing.messages) >= 3, timeout=20)
    finally:
        failing.end()
    assert [message.split(" in ")[1] for message in failing.messages[:3]] == ["0.1 s", "0.1 s", "0.2 s"]
    assert "exit code 3" in failing.messages[0]
