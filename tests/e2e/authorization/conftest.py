"""One suite for all of it, whose services can be made to forget their own tenant filter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e.stage import Stage, running_stage

from .barriers import LAUNCHER, Barriers
from .cast import Cast, gather
from .unfiltered import FLAG


@pytest.fixture(scope="package")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authorization") / "unfiltered"


@pytest.fixture(scope="package")
async def stage(flag: Path) -> AsyncIterator[Stage]:
    async with running_stage(environment={FLAG: str(flag)}, launcher=LAUNCHER) as running:
        yield running


@pytest.fixture(scope="package")
def barriers(stage: Stage, flag: Path) -> Barriers:
    return Barriers(stage, flag)


@pytest.fixture(scope="package")
async def cast(stage: Stage) -> Cast:
    return await gather(stage)
