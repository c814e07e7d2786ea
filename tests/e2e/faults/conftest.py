"""The folder's suite: two of its processes are held at many points at once, with a connection at each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from e2e.stage import Stage, running_stage


@pytest.fixture(scope="package")
async def stage() -> AsyncIterator[Stage]:
    async with running_stage(environment={"PAYMENTS_DB_POOL_SIZE": "20", "WEBHOOKS_DB_POOL_SIZE": "16"}) as running:
        yield running
