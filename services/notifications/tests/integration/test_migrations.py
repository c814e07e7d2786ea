import asyncio

import pytest
from chassis.database.migrations import check
from chassis.testing.service import ServiceUnderTest
from notifications.__main__ import MIGRATIONS

pytestmark = pytest.mark.integration


async def test_the_models_say_what_the_migrations_do(sut: ServiceUnderTest) -> None:
    owner = sut.kit.settings.migration_database_url.get_secret_value()

    await asyncio.to_thread(check, MIGRATIONS, owner)
