"""The migrations say what the models say, and may be run again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chassis.database.migrations import check, upgrade
from sales.app import MIGRATIONS

pytestmark = pytest.mark.integration


async def test_models_and_migrations_agree(sut: Any) -> None:
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    await asyncio.to_thread(check, MIGRATIONS, url)
