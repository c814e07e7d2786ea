"""After everything in every country: books, queues and logs are in order."""

from __future__ import annotations

import pytest

from e2e import invariants
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_everything_comes_to_rest(stage: Stage) -> None:
    await invariants.come_to_rest(stage)


async def test_the_books_are_in_order(stage: Stage) -> None:
    assert await invariants.violations(stage) == {}


async def test_logs_tell_nobodys_secrets(stage: Stage) -> None:
    assert stage.secrets
    assert await invariants.told_secrets(stage) == {}


async def test_nothing_unexpected_happened(stage: Stage) -> None:
    """No answer of 500, no crash, no message put aside."""
    # Money of another amount than asked for is an error that somebody has to look at.
    found = invariants.errors_logged(stage)
    assert {name: entry for name, entry in found.items() if name != "payments payment.disputed"} == {}
    assert {service: stage.suite.restarts(service) for service in stage.services} == dict.fromkeys(stage.services, 0)
