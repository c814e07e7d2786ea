import asyncio

import pytest
from chassis.database import migrations
from payments.__main__ import MIGRATIONS

pytestmark = pytest.mark.integration


async def test_the_models_say_what_the_migrations_do(sut):
    url = sut.kit.settings.migration_database_url.get_secret_value()
    await asyncio.to_thread(migrations.check, MIGRATIONS, url)
