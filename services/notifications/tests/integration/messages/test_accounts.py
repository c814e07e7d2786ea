"""What Cobro says to its own accounts, in no business's name."""

import asyncio
import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events import DomainEvent
from contracts.events.auth import MemberAdded, UserKycReviewed, UserPasswordChanged, UserRegistered
from contracts.events.registry import QUEUES
from kernel import Unavailable, new_id
from notifications.messages.models import Notification
from sqlalchemy import select
from twins.testing import Twins

pytestmark = pytest.mark.integration

HIGH = "notifications.high"


def registered(user_id: UUID) -> UserRegistered:
    return UserRegistered(aggregate_id=user_id, aggregate_version=1, role="MERCHANT")


def password_changed(user_id: UUID) -> UserPasswordChanged:
    at = datetime(2026, 11, 22, 19, 15, tzinfo=UTC)
    return UserPasswordChanged(aggregate_id=user_id, aggregate_version=2, reason="reset", changed_at=at)


def reviewed(user_id: UUID, *, approved: bool) -> UserKycReviewed:
    return UserKycReviewed(aggregate_id=new_id(), aggregate_version=2, user_id=user_id, level=2, approved=approved)


def added(shop: Any, user_id: UUID, *, role: str = "EMPLOYEE") -> MemberAdded:
    return MemberAdded(
        aggregate_id=new_id(),
        aggregate_version=1,
        business_id=shop.business.id,
        user_id=user_id,
        role=role,
        branch_ids=(shop.branch.id,),
    )


@pytest.fixture
def address(phones: Any) -> str:
    return f"ana{phones()[-6:]}@example.com"


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("es", "Tu cuenta de Cobro está lista"),
        ("pt", "Sua conta no Cobro está pronta"),
        ("en", "Your Cobro account is ready"),
        ("", "Tu cuenta de Cobro está lista"),
    ],
)
async def test_who_registers_is_welcomed_by_email_alone(
    sut: ServiceUnderTest,
    peers: Any,
    twins: Twins,
    phones: Any,
    address: str,
    send_all: Any,
    language: str,
    subject: str,
) -> None:
    phone = phones()

    await sut.deliver(HIGH, registered(peers.registered(phone=phone, email=address, language=language)))
    await send_all()

    (mail,) = await twins.messages(to=address)
    assert mail["subject"] == subject
    # What a stranger typed as a name reaches nobody's mailbox in our name.
    assert "Ana" not in mail["html"]
    assert await twins.messages(to=phone) == []


async def test_without_an_address_there_is_no_welcome(
    sut: ServiceUnderTest, peers: Any, twins: Twins, phones: Any, send_all: Any
) -> None:
    phone = phones()

    await sut.deliver(HIGH, registered(peers.registered(phone=phone)))
    await sut.deliver(HIGH, registered(new_id()))  # deleted since
    await send_all()

    assert await twins.messages(to=phone) == []


async def test_a_changed_password_is_announced_by_every_channel(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, phones: Any, address: str, send_all: Any
) -> None:
    """And no preferences of a business silence it, be it the user's own."""
    body = {"businessId": str(shop.business.id), "language": "pt", "channels": {"sms": False, "email": False}}
    answer = await sut.client.put("/api/v1/notification-preferences", json=body, headers=sut.as_(shop.owner))
    assert answer.status_code == 200
    phone = phones()
    user_id = peers.registered(phone=phone, email=address)

    await sut.deliver(HIGH, password_changed(user_id))
    await send_all()

    (sms,) = await twins.messages(to=phone)
    assert "contraseña de Cobro cambió. Si no fuiste tú" in sms["text"]
    (mail,) = await twins.messages(to=address)
    assert "22 nov 2026, 19:15 UTC" in mail["html"]


@pytest.mark.parametrize(
    ("approved", "said"), [(True, "aprobó tu verificación de nivel 2"), (False, "no pudo aprobar tu verificación")]
)
async def test_the_outcome_of_a_review(
    sut: ServiceUnderTest,
    peers: Any,
    twins: Twins,
    phones: Any,
    address: str,
    send_all: Any,
    approved: bool,
    said: str,
) -> None:
    by_phone, both = phones(), phones()

    await sut.deliver(HIGH, reviewed(peers.registered(phone=by_phone), approved=approved))
    await sut.deliver(HIGH, reviewed(peers.registered(phone=both, email=address), approved=approved))
    await send_all()

    (sms,) = await twins.messages(to=by_phone)
    assert said in sms["text"]
    (mail,) = await twins.messages(to=address)
    assert "Nivel" in mail["html"]
    assert await twins.messages(to=both) == []


async def test_an_employee_learns_by_sms_whose_they_are(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, phones: Any, address: str, send_all: Any, listed: Any
) -> None:
    phone = phones()
    user_id = peers.registered(phone=phone, email=address, language="en")

    await sut.deliver(HIGH, added(shop, user_id))
    await send_all()

    (sms,) = await twins.messages(to=phone)
    assert sms["text"].startswith("Abarrotes Lupita added you to its team in Cobro.")
    assert await twins.messages(to=address) == []
    # The phone is the employee's affair, and not even masked the business's.
    assert await listed(shop) == []


async def test_an_owner_is_not_told_of_their_own_business(
    sut: ServiceUnderTest, peers: Any, twins: Twins, open_shop: Any, phones: Any, send_all: Any
) -> None:
    shop, gone, phone = open_shop(), open_shop(), phones()
    user_id = peers.registered(phone=phone)
    del sut.directory.businesses[gone.business.id]

    await sut.deliver(HIGH, added(shop, user_id, role="OWNER"))
    await sut.deliver(HIGH, added(gone, user_id))
    await send_all()

    assert await twins.messages(to=phone) == []


async def test_while_auth_is_away_the_event_waits(
    sut: ServiceUnderTest, peers: Any, twins: Twins, phones: Any, send_all: Any
) -> None:
    phone, event_id = phones(), new_id()
    user_id = peers.registered(phone=phone)
    peers.faults[str(user_id)] = [Unavailable("down", code="auth_unavailable")]

    with pytest.raises(Unavailable):
        await sut.deliver(HIGH, password_changed(user_id), id=event_id)
    await sut.deliver(HIGH, password_changed(user_id), id=event_id)
    await send_all()

    assert len(await twins.messages(to=phone)) == 1


async def test_the_same_event_again_says_nothing_new(
    sut: ServiceUnderTest, peers: Any, twins: Twins, phones: Any, send_all: Any
) -> None:
    phone, event_id = phones(), new_id()
    event = password_changed(peers.registered(phone=phone))

    await asyncio.gather(*(sut.deliver(HIGH, event, id=event_id) for _ in range(6)))
    await asyncio.gather(send_all(), send_all(), send_all())
    await sut.deliver(HIGH, event, id=event_id)
    await send_all()

    assert len(await twins.messages(to=phone)) == 1


async def test_no_list_shows_what_an_account_was_sent(
    sut: ServiceUnderTest, peers: Any, shop: Any, phones: Any, send_all: Any
) -> None:
    user_id = peers.registered(phone=phones())
    await sut.deliver(HIGH, password_changed(user_id))
    await send_all()
    statement = select(Notification).where(Notification.user_id == user_id)
    with everyone():
        async with sut.kit.database.read() as session:
            row = (await session.execute(statement)).scalar_one()
    assert (row.status, row.business_id) == ("SENT", None)

    user, admin = make_principal(user_id=user_id, owns=[shop.business.id]), make_principal(role=Role.ADMIN)
    for caller in (shop.owner, user, admin):
        answer = await sut.client.get("/api/v1/notifications", params={"limit": 100}, headers=sut.as_(caller))
        assert answer.status_code == 200
        assert str(row.id) not in answer.text


EVENTS = [(queue.name, event) for queue in QUEUES if queue.service == "notifications" for event in queue.events]


@pytest.mark.contract
@pytest.mark.parametrize(("queue", "event"), EVENTS, ids=lambda value: getattr(value, "type", value))
async def test_every_golden_example_of_our_queues_is_understood(
    sut: ServiceUnderTest, queue: str, event: type[DomainEvent]
) -> None:
    """With what a newer producer may have added."""
    example = resources.files("contracts.events") / "examples" / f"{event.type}.json"
    golden = json.loads(example.read_text())

    await sut.deliver(queue, event.model_validate({**golden, "newField": {"a": 1}}))
