"""All folders share one running suite, because starting one costs more than most of what is played in it; only
`faults`, which breaks it, has its own. Nothing is shared between tests but the suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e.authorization.barriers import LAUNCHER
from e2e.authorization.unfiltered import FLAG
from e2e.merchant import Merchant, open_shop
from e2e.stage import Stage, running_stage

# Conformance comes last: it leaves behind what no journey would.
_FOLDERS = ("journeys", "countries", "authorization", "faults")


@pytest.fixture(scope="session")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file whose presence takes the tenant filter out of the services."""
    return tmp_path_factory.mktemp("e2e") / "unfiltered"


@pytest.fixture(scope="session")
async def stage(flag: Path) -> AsyncIterator[Stage]:
    async with running_stage(environment={FLAG: str(flag)}, launcher=LAUNCHER) as running:
        yield running


@pytest.fixture
async def merchant(stage: Stage) -> Merchant:
    return await open_shop(stage)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A folder's invariants are looked at when everything else in it has happened."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(here)]
    ordered = sorted(
        (items[place] for place in places),
        key=lambda item: (_FOLDERS.index(item.path.parent.name), item.path.name == "test_invariants.py"),
    )
    for place, item in zip(places, ordered, strict=True):
        items[place] = item
