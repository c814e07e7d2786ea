"""After all faults of this folder: books, queues and logs are in order, as if nothing had happened."""

from __future__ import annotations

import pytest

from e2e import invariants
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_everything_comes_to_rest(stage: Stage) -> None:
    await invariants.come_to_rest(stage)


async def test_the_books_are_in_order(stage: Stage) -> None:
    assert await invariants.violations(stage) == {}


async def test_every_event_has_reached_everybody(stage: Stage) -> None:
    assert await invariants.missing_deliveries(stage) == {}


async def test_logs_tell_nobodys_secrets(stage: Stage) -> None:
    assert stage.secrets
    assert await invariants.told_secrets(stage) == {}
