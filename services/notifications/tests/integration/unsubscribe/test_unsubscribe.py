from typing import Any

import pytest
from chassis.testing.service import ServiceUnderTest
from contracts.events.auth import UserPasswordChanged
from twins.testing import Twins

pytestmark = pytest.mark.integration

HIGH = "notifications.high"


@pytest.fixture
async def mail(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any, send_all: Any, twins: Twins
) -> Any:
    """A receipt as its buyer has it in their mailbox."""
    email = f"ana{phones()[-8:]}@example.com"
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=email)))
    await send_all()
    return (await twins.messages(to=email))[0]


def path_of(mail: Any) -> str:
    link: str = mail["headers"]["List-Unsubscribe"]
    assert link.startswith("<https://cobro.mx/api/v1/unsubscribe/")
    return link.removeprefix("<https://cobro.mx").removesuffix(">")


async def test_one_click_ends_receipts_of_that_shop_to_that_address(
    sut: ServiceUnderTest, mail: Any, peers: Any, shop: Any, open_shop: Any, receipt: Any, phones: Any, listed: Any
) -> None:
    content = "List-Unsubscribe=One-Click"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    for _ in range(2):
        answer = await sut.client.post(path_of(mail), content=content, headers=headers)
        assert (answer.status_code, "Listo" in answer.text) == (200, True)

    phone, other = phones(), open_shop()
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=mail["to"].upper(), phone=phone)))
    await sut.deliver(HIGH, receipt(other, peers.bought(email=mail["to"])))
    assert sorted(row["channel"] for row in await listed(shop)) == ["EMAIL", "SMS"]  # the old e-mail, the new SMS
    assert len(await listed(other)) == 1


async def test_looking_changes_nothing(
    sut: ServiceUnderTest, mail: Any, peers: Any, shop: Any, receipt: Any, listed: Any
) -> None:
    answer = await sut.client.get(path_of(mail))

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert '<form method="post">' in answer.text
    assert "Abarrotes Lupita" in answer.text
    assert mail["to"] not in answer.text
    await sut.deliver(HIGH, receipt(shop, peers.bought(email=mail["to"])))
    assert len(await listed(shop)) == 2


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 43, "%00", "💥", "A" * 100])
async def test_what_is_no_link_is_404(sut: ServiceUnderTest, token: str) -> None:
    for method in ("GET", "POST"):
        answer = await sut.client.request(method, f"/api/v1/unsubscribe/{token}")
        assert (answer.status_code, answer.json()["code"]) == (404, "link_not_found")


async def test_what_concerns_safety_has_no_way_out(
    sut: ServiceUnderTest, peers: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    email = f"ana{phones()[-8:]}@example.com"
    user_id = peers.registered(phone=phones(), email=email)
    event = UserPasswordChanged(aggregate_id=user_id, aggregate_version=1, reason="change", changed_at=sut.clock.now())

    await sut.deliver(HIGH, event)
    await send_all()

    (message,) = await twins.messages(to=email)
    assert message["headers"] == {}
    assert "unsubscribe" not in message["html"]
