"""The owner's week, by e-mail with its chart."""

import io
import json
from base64 import b64decode
from importlib import resources
from typing import Any

import pytest
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from contracts.events.analytics import ReportWeeklyReady
from kernel import new_id
from notifications.channels.port import Content
from notifications.messages.models import Notification, content_place
from PIL import Image
from sqlalchemy import select
from twins.testing import Twins

pytestmark = pytest.mark.integration

QUEUE = "notifications.normal"
GOLDEN = resources.files("contracts.events") / "examples" / "report.weekly_ready.json"


def week_of(shop: Any) -> ReportWeeklyReady:
    golden = ReportWeeklyReady.model_validate(json.loads(GOLDEN.read_text()))
    return golden.model_copy(update={"business_id": shop.business.id})


async def test_the_owner_gets_the_week_with_its_chart_once(
    sut: ServiceUnderTest, peers: Any, shop: Any, phones: Any, send_all: Any, twins: Twins
) -> None:
    email = f"{new_id()}@example.com"
    user = peers.registered(phone=phones(), email=email, language="pt")
    peers.users[str(shop.business.owner_id)] = peers.users[str(user)]
    event, event_id = week_of(shop), new_id()

    await sut.deliver(QUEUE, event, id=event_id)
    await sut.deliver(QUEUE, event, id=event_id)
    await send_all()

    (message,) = await twins.messages(to=email)
    assert "em 412 vendas" in message["subject"]
    with everyone():
        async with sut.kit.database.read() as session:
            found = await session.execute(select(Notification).where(Notification.cause_event_id == event_id))
            stored = found.scalar_one()
    content = Content.model_validate_json(sut.context.cipher.decrypt(stored.content, context=content_place(stored.id)))
    assert 'src="cid:picture"' in content.html
    assert "+13,6%" in content.html
    image = Image.open(io.BytesIO(b64decode(content.image)))
    assert (image.format, image.size) == ("PNG", (912, 420))
    assert len(image.getcolors(256)) > 8
