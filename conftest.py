"""Gives the tests real servers when no addresses of any are in the environment.

`pytest services/payments` on a bare machine thus works like `make test`: throwaway PostgreSQL, Redis and RabbitMQ start
once, in the process that controls the run, and the workers of pytest-xdist inherit their addresses.
"""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from stack.commands.infra import TEST_VARIABLES, test_environment
from stack.errors import StackError
from stack.infra import Infrastructure, locate
from xdist.scheduler import LoadScopeScheduling

_INFRASTRUCTURE = pytest.StashKey[Infrastructure]()


class SharedSuites(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out tests by file, so that a file's fixtures are made once; those of tests/e2e go together, because they
    share a running suite, but for the faults, which have their own. (The groups of pytest-xdist do not reach the
    scheduler with pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.split("::", 1)[0])
        if path.parts[:2] != ("tests", "e2e"):
            return str(path)
        return str(path.parent if path.parent.name == "faults" else path.parents[1])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedSuites:
    return SharedSuites(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers early when there will be workers: nothing can be handed to them later."""
    if _is_worker(config) or not getattr(config.option, "numprocesses", None) or config.option.collectonly:
        return
    if "not integration" in (config.option.markexpr or "") or _names_no_integration_tests(config):
        return
    _start(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without workers the selected tests are known before the first of them runs."""
    if _is_worker(session.config) or session.config.option.collectonly:
        return
    if any(_needs_servers(item) for item in session.items):
        _start(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    infrastructure = config.stash.get(_INFRASTRUCTURE, None)
    if infrastructure is not None:
        infrastructure.stop()


def _start(config: pytest.Config) -> None:
    if _INFRASTRUCTURE in config.stash or all(os.environ.get(name) for name in TEST_VARIABLES.values()):
        return
    try:
        infrastructure = locate()
        config.stash[_INFRASTRUCTURE] = infrastructure
        infrastructure.start()
    except StackError as error:
        pytest.exit(f"The tests need servers. {error}", returncode=pytest.ExitCode.USAGE_ERROR)
    os.environ.update(test_environment(infrastructure))


def _needs_servers(item: pytest.Item) -> bool:
    return item.get_closest_marker("integration") is not None or "integration" in item.path.parts


def _names_no_integration_tests(config: pytest.Config) -> bool:
    """Whether every path on the command line leads to tests without servers, or with servers of their own."""
    paths = [Path(argument.split("::")[0]) for argument in config.args]
    return bool(paths) and all({"unit", "e2e"} & set(path.parts) for path in paths)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
