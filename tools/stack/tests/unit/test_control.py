from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import blocking
from stack.control import Control, Request, ask
from stack.errors import StackError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder whose path is longer than a socket's address may be."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    return folder


@pytest.fixture
def control(data: Path) -> Iterator[Control]:
    (data / "control.sock").touch()  # what a killed suite left behind
    running = Control(data)
    yield running
    running.close()
    assert not (data / "control.sock").exists()


def answered(control: Control, data: Path, answer: str) -> tuple[list[str], list[str]]:
    """The words of the question, and what the one who asked was told."""
    told: list[str] = []

    def run() -> None:
        try:
            ask(data, "rollout", "auth", timeout=10)
            told.append("done")
        except StackError as error:
            told.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    requests: list[Request] = []

    def came() -> bool:
        request = control.next()
        if request is not None:
            requests.append(request)
        return bool(requests)

    assert blocking.poll(came, timeout=10)
    requests[0].answer(answer)
    thread.join()
    return requests[0].words, told


def test_a_question_is_answered_when_it_is_done(control: Control, data: Path) -> None:
    assert control.next() is None
    assert answered(control, data, "ok") == (["rollout", "auth"], ["done"])


def test_the_reason_why_not_reaches_whoever_asked(control: Control, data: Path) -> None:
    assert answered(control, data, "auth is not running")[1] == ["auth is not running"]
    assert answered(control, data, "")[1] == ["The suite ended before it had answered."]


def test_only_the_user_of_the_suite_may_ask(control: Control, data: Path) -> None:
    assert (data / "control.sock").stat().st_mode & 0o077 == 0


def test_nobody_is_there_to_ask(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="cannot be asked"):
        ask(tmp_path, "rollout", "auth", timeout=1)
