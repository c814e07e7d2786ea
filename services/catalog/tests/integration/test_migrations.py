import asyncio

import pytest
from catalog.app import MIGRATIONS
from chassis.database.migrations import check, upgrade
from chassis.testing.service import ServiceUnderTest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration


async def test_the_models_say_nothing_that_no_migration_does(sut: ServiceUnderTest) -> None:
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(check, MIGRATIONS, url)


async def test_migrating_again_does_nothing(sut: ServiceUnderTest) -> None:
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(upgrade, MIGRATIONS, url)


@pytest.mark.parametrize("statement", ["UPDATE stock_movements SET reason = 'x'", "DELETE FROM stock_movements"])
async def test_movements_cannot_be_rewritten(sut: ServiceUnderTest, statement: str) -> None:
    async with sut.kit.database.autocommit() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(text(statement))
