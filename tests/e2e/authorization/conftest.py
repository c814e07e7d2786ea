"""The suite's services can be made to forget their own tenant filter."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.stage import Stage

from .barriers import Barriers
from .cast import Cast, gather


@pytest.fixture(scope="package")
def barriers(stage: Stage, flag: Path) -> Barriers:
    return Barriers(stage, flag)


@pytest.fixture(scope="package")
async def cast(stage: Stage) -> Cast:
    return await gather(stage)
