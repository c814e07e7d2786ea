"""Models and migrations say the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from auth.app import MIGRATIONS
from chassis.database.migrations import check, upgrade

pytestmark = pytest.mark.integration


async def test_no_model_is_ahead_of_its_migration(sut: Any) -> None:
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(check, MIGRATIONS, url)


async def test_migrating_again_changes_nothing(sut: Any) -> None:
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
