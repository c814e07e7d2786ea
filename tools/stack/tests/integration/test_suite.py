"""A suite's parts can be broken and brought back one by one. Twins stand in for any service: they need no other."""

import os
import signal
from collections.abc import Iterator

import pytest
from stack import blocking, runner
from stack.errors import StackError
from stack.infra.readiness import probe
from stack.infra.server import Kind
from stack.suite import Suite

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with Suite(services=[], environment={"TWINS_TIME_SCALE": "50"}) as running:
        yield running


def twins_ready(suite: Suite) -> bool:
    return runner.is_ready(f"{suite.twins_url}/health/ready")


def test_a_killed_part_stays_down_until_it_is_started(suite: Suite) -> None:
    suite.kill("twins")
    assert suite.pid("twins") is None
    assert not twins_ready(suite)
    suite.start("twins")
    assert twins_ready(suite)


def test_a_part_that_ends_by_itself_comes_back(suite: Suite) -> None:
    pid, restarts = suite.pid("twins"), suite.restarts("twins")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert blocking.poll(lambda: suite.restarts("twins") == restarts + 1, timeout=10)
    suite.wait_until_ready(["twins"])


def test_a_frozen_part_answers_again(suite: Suite) -> None:
    suite.kill("twins", signal.SIGSTOP)
    assert not twins_ready(suite)
    suite.kill("twins", signal.SIGCONT)
    suite.wait_until_ready(["twins"])


@pytest.mark.parametrize(
    ("kind", "stop", "start"),
    [
        (Kind.REDIS, Suite.stop_redis, Suite.start_redis),
        (Kind.POSTGRES, Suite.stop_postgres, Suite.start_postgres),
        (Kind.RABBITMQ, Suite.stop_broker, Suite.start_broker),
    ],
)
@pytest.mark.parametrize("pause", [False, True])
def test_servers_stop_and_come_back(suite: Suite, kind: Kind, stop, start, pause: bool) -> None:  # type: ignore[no-untyped-def]
    url = suite.infrastructure.url(kind)
    stop(suite, pause=pause)
    assert probe(kind, url) is not None
    start(suite)
    assert probe(kind, url) is None


def test_what_a_part_says_can_be_read(suite: Suite) -> None:
    assert suite.twins_url in suite.logs("twins")


def test_an_unknown_service_is_refused_before_anything_starts() -> None:
    suite = Suite(services=["nonsense"])
    with pytest.raises(StackError, match="nonsense"):
        suite.up()
    assert not hasattr(suite, "directory")
