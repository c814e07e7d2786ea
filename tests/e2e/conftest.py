"""Each folder has a suite of its own, which all its tests share; nothing is shared between them but the suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e.merchant import Merchant, open_shop
from e2e.stage import Stage, running_stage


@pytest.fixture(scope="package")
async def stage() -> AsyncIterator[Stage]:
    async with running_stage() as running:
        yield running


@pytest.fixture
async def merchant(stage: Stage) -> Merchant:
    return await open_shop(stage)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A folder's invariants are looked at when everything else in it has happened."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(here)]
    folders = list(dict.fromkeys(items[place].path.parent for place in places))
    ordered = sorted(
        (items[place] for place in places),
        key=lambda item: (folders.index(item.path.parent), item.path.name == "test_invariants.py"),
    )
    for place, item in zip(places, ordered, strict=True):
        items[place] = item
