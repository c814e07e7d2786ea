import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.runtime.jobs import run_forever
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.auth.v1 import directory_pb2
from contracts.events.auth import UserCodeRequested
from contracts.events.notifications import NotificationFailed, NotificationSent
from kernel import Unavailable, new_id
from notifications.messages.models import Notification
from sqlalchemy import select, text
from twins.testing import Twins

pytestmark = pytest.mark.integration

CODES, HIGH = "notifications.codes", "notifications.high"


@pytest.fixture
def requested(sut: ServiceUnderTest, peers: Any) -> Callable[..., UserCodeRequested]:
    """A code that auth has for a recipient, and the event that says so."""

    def make(
        to: str, *, purpose: str = "verification", language: str = "es", code: str = "012345", minutes: float = 10
    ) -> UserCodeRequested:
        code_id, expires_at = new_id(), sut.clock.now() + timedelta(minutes=minutes)
        channel = "email" if "@" in to else "sms"
        peers.codes[str(code_id)] = directory_pb2.Code(
            code=code,
            channel=channel,
            recipient=to,
            purpose=purpose,
            language=language,
            expires_at=int(expires_at.timestamp()),
        )
        return UserCodeRequested.model_validate(
            {
                "aggregate_id": code_id,
                "aggregate_version": 1,
                "user_id": new_id(),
                "channel": channel,
                "purpose": purpose,
                "expires_at": expires_at,
            }
        )

    return make


@pytest.fixture
def sent(twins: Twins) -> Callable[[str], Any]:
    async def texts(to: str) -> list[str]:
        return [message["text"] for message in await twins.messages(to=to)]

    return texts


@pytest.fixture
def row_of(sut: ServiceUnderTest) -> Callable[[UUID], Any]:
    async def find(code_id: UUID) -> Notification:
        statement = select(Notification).where(Notification.code_id == code_id)
        with everyone():
            async with sut.kit.database.read() as session:
                return (await session.execute(statement)).scalar_one()

    return find


async def test_a_code_by_sms(
    sut: ServiceUnderTest, requested: Any, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    phone = phones()
    event = requested(phone)

    await sut.deliver(CODES, event)
    await send_all()

    assert await sent(phone) == ["012345 es tu código de Cobro. No lo compartas.\n@cobro.mx #012345"]
    row = await row_of(event.aggregate_id)
    assert (row.status, row.template, row.user_id) == ("SENT", "verification", event.user_id)
    announced = [one for one in await sut.published(NotificationSent) if one.aggregate_id == row.id]
    assert [(one.template, one.business_id) for one in announced] == [("verification", None)]


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("es", "Código para cambiar tu contraseña de Cobro"),
        ("pt", "Código para trocar sua senha do Cobro"),
        ("en", "Code to change your Cobro password"),
        ("fr", "Código para cambiar tu contraseña de Cobro"),
    ],
)
async def test_a_code_by_email(
    sut: ServiceUnderTest,
    requested: Any,
    phones: Any,
    send_all: Any,
    twins: Twins,
    language: str,
    subject: str,
) -> None:
    email = f"ana{phones()[-6:]}@example.com"

    await sut.deliver(CODES, requested(email, purpose="password_reset", language=language))
    await send_all()

    (mail,) = await twins.messages(to=email)
    assert mail["subject"] == subject
    for part in (mail["text"], mail["html"]):
        assert "012345" in part
        assert "10 min" in part


async def test_the_minutes_are_those_that_are_left(
    sut: ServiceUnderTest, requested: Any, phones: Any, send_all: Any, sent: Any
) -> None:
    phone = phones()
    event = requested(phone, language="en")

    sut.clock.advance(timedelta(minutes=6, seconds=50))
    await sut.deliver(CODES, event)
    await send_all()

    (message,) = await sent(phone)
    assert "expires in 3 minutes." in message


async def test_the_same_code_is_sent_once(
    sut: ServiceUnderTest, requested: Any, phones: Any, send_all: Any, sent: Any
) -> None:
    phone, event_id = phones(), new_id()
    event = requested(phone)

    await asyncio.gather(*(sut.deliver(CODES, event, id=event_id) for _ in range(6)))
    await asyncio.gather(send_all(), send_all(), send_all())
    await sut.deliver(CODES, event, id=event_id)
    # And should auth ever announce one code by two events.
    await asyncio.gather(*(sut.deliver(CODES, event) for _ in range(6)))
    await send_all()

    assert len(await sent(phone)) == 1


async def test_a_code_that_is_gone_is_not_sent_and_that_is_on_record(
    sut: ServiceUnderTest, requested: Any, peers: Any, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    """Used, replaced or expired: the newer code's event may have overtaken this one's."""
    phone = phones()
    older, newer = requested(phone, code="111111"), requested(phone, code="222222")
    del peers.codes[str(older.aggregate_id)]

    await sut.deliver(CODES, newer)
    await sut.deliver(CODES, older)
    await send_all()

    (only,) = await sent(phone)
    assert only.startswith("222222 ")
    row = await row_of(older.aggregate_id)
    assert (row.status, row.failure_reason, row.provider, row.attempts) == ("FAILED", "code_gone", None, 0)
    (announced,) = [one for one in await sut.published(NotificationFailed) if one.aggregate_id == row.id]
    assert announced.reason == "code_gone"


async def test_a_retry_asks_again(
    sut: ServiceUnderTest, requested: Any, peers: Any, twins: Twins, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    phone = phones()
    event = requested(phone)
    await twins.fault("http_500", twin="twilio", reference=phone, times=1)
    await sut.deliver(CODES, event)
    await send_all()
    assert (await row_of(event.aggregate_id)).status == "PENDING"

    del peers.codes[str(event.aggregate_id)]  # replaced by a newer one meanwhile
    sut.clock.advance(timedelta(seconds=5))
    await send_all()

    assert await sent(phone) == []
    row = await row_of(event.aggregate_id)
    assert (row.status, row.failure_reason, row.provider) == ("FAILED", "code_gone", "twilio")


async def test_while_auth_is_away_the_code_waits(
    sut: ServiceUnderTest, requested: Any, peers: Any, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    phone = phones()
    event = requested(phone)
    peers.faults[str(event.aggregate_id)] = [Unavailable("down", code="auth_unavailable") for _ in range(4)]
    await sut.deliver(CODES, event)

    for _ in range(4):
        await send_all()
        waiting = await row_of(event.aggregate_id)
        assert (waiting.status, waiting.provider, waiting.provider_answer) == ("PENDING", None, "auth_unavailable")
        sut.clock.advance(timedelta(seconds=5))
    await send_all()

    assert len(await sent(phone)) == 1
    row = await row_of(event.aggregate_id)
    assert (row.status, row.attempts, row.unanswered) == ("SENT", 1, 0)


async def test_but_never_after_it_expires(
    sut: ServiceUnderTest, requested: Any, peers: Any, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    phone = phones()
    event = requested(phone, minutes=1)
    peers.faults[str(event.aggregate_id)] = [Unavailable("down", code="auth_unavailable") for _ in range(100)]
    await sut.deliver(CODES, event)

    for _ in range(14):
        await send_all()
        sut.clock.advance(timedelta(seconds=5))

    assert await sent(phone) == []
    row = await row_of(event.aggregate_id)
    assert (row.status, row.failure_reason) == ("FAILED", "expired")


async def test_an_event_that_comes_too_late_sends_nothing(
    sut: ServiceUnderTest, requested: Any, phones: Any, send_all: Any, sent: Any, row_of: Any
) -> None:
    phone = phones()
    event = requested(phone)
    sut.clock.advance(timedelta(minutes=10))

    await sut.deliver(CODES, event)
    await send_all()

    assert await sent(phone) == []
    assert (await row_of(event.aggregate_id)).failure_reason == "expired"


async def test_a_recipient_that_is_none_is_not_written_to(
    sut: ServiceUnderTest, requested: Any, peers: Any, send_all: Any, row_of: Any
) -> None:
    event = requested("5512345678")

    await sut.deliver(CODES, event)
    await send_all()

    assert (await row_of(event.aggregate_id)).failure_reason == "no_recipient"


async def test_a_code_overtakes_everything_that_waits(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, receipt: Any, requested: Any, phones: Any, sent: Any
) -> None:
    """Within a second of its event, with the high lane stuck at its provider and a code stuck at its own."""
    stuck, stopping = [phones() for _ in range(6)], asyncio.Event()
    for number in stuck:
        await twins.fault("slow", twin="twilio", reference=number, times=1, seconds=3)
    await sut.deliver(CODES, requested(stuck[0]))
    for number in stuck[1:]:
        await sut.deliver(HIGH, receipt(shop, peers.bought(phone=number)))
    jobs = [job for job in sut.service.jobs if job.name in {"send-codes", "send-high"}]
    running = [asyncio.create_task(run_forever(job, sut.kit.database, "notifications", stopping)) for job in jobs]
    try:
        await asyncio.sleep(0.2)
        phone, started = phones(), time.monotonic()

        await sut.deliver(CODES, requested(phone))
        while not await sent(phone):
            assert time.monotonic() - started < 1
            await asyncio.sleep(0.02)
    finally:
        stopping.set()
        await asyncio.gather(*running)
        await twins.clear_faults("twilio")


async def test_nobody_is_shown_it(
    sut: ServiceUnderTest, requested: Any, shop: Any, phones: Any, send_all: Any, row_of: Any
) -> None:
    event = requested(phones())
    await sut.deliver(CODES, event)
    await send_all()
    id = str((await row_of(event.aggregate_id)).id)

    user, admin = make_principal(user_id=event.user_id, owns=[shop.business.id]), make_principal(role=Role.ADMIN)
    for caller in (shop.owner, user, admin):
        answer = await sut.client.get("/api/v1/notifications", params={"limit": 100}, headers=sut.as_(caller))
        assert answer.status_code == 200
        assert id not in answer.text


async def test_the_code_rests_nowhere(
    sut: ServiceUnderTest,
    requested: Any,
    twins: Twins,
    phones: Any,
    send_all: Any,
    sent: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    phone = phones()
    event = requested(phone, code="UNMISTAKABLE")
    await twins.fault("http_500", twin="twilio", reference=phone, times=1)
    await sut.deliver(CODES, event)
    await send_all()
    waiting = await _dump(sut)
    sut.clock.advance(timedelta(seconds=5))
    await send_all()
    assert len(await sent(phone)) == 1

    for dump in (waiting, await _dump(sut)):
        assert str(event.aggregate_id) in dump
        assert "UNMISTAKABLE" not in dump
        assert phone not in dump
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert "notification.tried" in logged
    assert "UNMISTAKABLE" not in logged
    assert phone not in logged


async def _dump(sut: ServiceUnderTest) -> str:
    """Every row of every table of the service, as text."""
    names = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    rows: list[str] = []
    with everyone():
        async with sut.kit.database.read() as session:
            for table in (await session.execute(names)).scalars().all():
                found = await session.execute(text(f'SELECT to_jsonb(t)::text FROM "{table}" AS t'))
                rows += found.scalars().all()
    return "\n".join(rows)
