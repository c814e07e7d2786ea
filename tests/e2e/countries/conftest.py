"""The folder's suite: no provider is waited for longer than a test would."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from e2e.stage import Stage, running_stage

_TIMEOUTS = {f"{name}_TIMEOUT_SECONDS": "3" for name in ("CONEKTA", "KHIPU", "MERCADOPAGO", "PAYU")}


@pytest.fixture(scope="package")
async def stage() -> AsyncIterator[Stage]:
    async with running_stage(environment=_TIMEOUTS) as running:
        yield running
