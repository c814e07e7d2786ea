"""After everything in every country: books, queues and logs are in order."""

from __future__ import annotations

import pytest

from e2e import invariants
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_everything_comes_to_rest(stage: Stage) -> None:
    await invariants.come_to_rest(stage, except_for=frozenset({"sales"}))


async def test_the_books_are_in_order(stage: Stage) -> None:
    assert await invariants.violations(stage) == {}


async def test_logs_tell_nobodys_secrets(stage: Stage) -> None:
    assert stage.secrets
    assert await invariants.told_secrets(stage) == {}


async def test_nothing_unexpected_happened(stage: Stage) -> None:
    """No answer of 500, no crash, no message put aside."""
    assert invariants.errors_logged(stage) == {}
    assert {service: stage.suite.restarts(service) for service in stage.services} == dict.fromkeys(stage.services, 0)
