from collections.abc import AsyncIterator

import pytest
from chassis.testing.service import ServiceUnderTest, running_service
from webhooks.app import MIGRATIONS, build
from webhooks.settings import WebhooksSettings

pytestmark = pytest.mark.integration


@pytest.fixture
async def keyless() -> AsyncIterator[ServiceUnderTest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CONEKTA_WEBHOOK_PUBLIC_KEY", raising=False)
        async with running_service("webhooks", WebhooksSettings, build, migrations=MIGRATIONS) as service:
            yield service


async def test_a_provider_without_its_key_is_closed(keyless: ServiceUnderTest) -> None:
    answer = await keyless.client.post("/webhooks/conekta", content=b"{}", headers={"DIGEST": "AAAA"})

    assert (answer.status_code, answer.json()["code"]) == (404, "provider_unknown")
