"""The use cases of deliveries: written with the event, looked at, and sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.auth import Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from contracts.events import DomainEvent
from contracts.events.auth import BusinessDeleted
from kernel import new_id

from webhooks.context import WebhooksContext
from webhooks.deliveries import errors, repository, schemas
from webhooks.deliveries.models import WebhookDelivery, answer_place
from webhooks.deliveries.payloads import payload, written
from webhooks.deliveries.schemas import DeliveryDetail, DeliveryOut, Recovered
from webhooks.deliveries.status import DeliveryStatus
from webhooks.endpoints import repository as endpoints
from webhooks.endpoints.errors import endpoint_disabled, endpoint_not_found
from webhooks.endpoints.models import WebhookEndpoint
from webhooks.endpoints.service import owned_endpoint

KEPT_DAYS: Final = 30
TEST_TYPE: Final = "webhook_endpoint.test"
# So that one call holds no lock for long.
_RECOVERED_AT_ONCE: Final = 10_000


async def write(ctx: WebhooksContext, received: Received[DomainEvent]) -> None:
    """One delivery for each endpoint of the business that chose the event: due at once, or kept for a recovery where
    the endpoint is switched off."""
    event = received.event
    if event.business_id is None:
        return
    business_id = event.business_id
    if await repository.note_unwanted(ctx.database, received, business_id, ctx.clock.now()):
        return
    wanted = False

    async def work(unit: UnitOfWork) -> None:
        nonlocal wanted
        if not await unit.accept(received):
            return
        subscribed = await endpoints.subscribed(unit.session, business_id, event.type)
        body = payload(received.id, event, received.occurred_at)
        now = unit.clock.now()
        rows = [
            _row(
                endpoint,
                event_id=received.id,
                event_type=event.type,
                subject_id=event.aggregate_id,
                sequence=event.aggregate_version,
                body=body,
                occurred_at=received.occurred_at,
                now=now,
            )
            for endpoint in subscribed
        ]
        await repository.add(unit.session, rows)
        wanted = bool(rows)

    await ctx.database.run(work)
    if wanted:
        _wake(ctx)


async def forget_business(ctx: WebhooksContext, received: Received[BusinessDeleted]) -> None:
    """Its endpoints go with it."""

    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            now = unit.clock.now()
            gone = await endpoints.delete_all_of(unit.session, received.event.business_id, now)
            await repository.skip_waiting(unit.session, gone, now)

    await ctx.database.run(work)


async def list_deliveries(
    ctx: WebhooksContext,
    caller: Principal,
    endpoint_id: UUID,
    paging: PageParams,
    *,
    status: DeliveryStatus | None,
    event_type: str | None,
) -> Page[DeliveryOut]:
    await owned_endpoint(ctx, caller, endpoint_id)
    async with ctx.database.read() as session:
        found = await repository.page(session, endpoint_id, paging, status=status, event_type=event_type)
    return as_page(found, lambda row: schemas.shown(row.WebhookDelivery))


async def get_delivery(ctx: WebhooksContext, caller: Principal, endpoint_id: UUID, delivery_id: UUID) -> DeliveryDetail:
    await owned_endpoint(ctx, caller, endpoint_id)
    async with ctx.database.read() as session:
        delivery = await repository.find(session, endpoint_id, delivery_id)
        if delivery is None:
            raise errors.delivery_not_found()
        rows = await repository.attempts(session, delivery_id)
    attempts = [
        schemas.attempt(
            row,
            None
            if row.answer is None
            else ctx.cipher.decrypt_bytes(row.answer, context=answer_place(delivery_id, row.number)),
        )
        for row in rows
    ]
    return schemas.detail(delivery, attempts)


async def retry_delivery(
    ctx: WebhooksContext, caller: Principal, scope: IdempotencyScope, endpoint_id: UUID, delivery_id: UUID
) -> Answer:
    """Try now, and by the schedule from its beginning; also what was delivered before. One that is being tried at this
    moment is left alone. Raises NotFound, Forbidden, Conflict (webhook_endpoint_disabled)."""
    await owned_endpoint(ctx, caller, endpoint_id)

    async def work(unit: UnitOfWork) -> Data[DeliveryOut]:
        await _active(unit, endpoint_id)
        delivery = await repository.lock(unit.session, endpoint_id, delivery_id)
        if delivery is None:
            raise errors.delivery_not_found()
        now = unit.clock.now()
        if not _in_hand(delivery, now):
            delivery.status = DeliveryStatus.PENDING.value
            delivery.step = 0
            delivery.worker = None
            delivery.next_attempt_at = now
            await unit.session.flush()
        return Data(data=schemas.shown(delivery))

    answer = await ctx.idempotency.run(scope, work, status=202)
    _wake(ctx)
    return answer


async def recover(
    ctx: WebhooksContext, caller: Principal, scope: IdempotencyScope, endpoint_id: UUID, since: datetime
) -> Answer:
    """Send again what has failed or was skipped since then, oldest first. Raises NotFound, Forbidden, InvalidInput,
    Conflict (webhook_endpoint_disabled)."""
    await owned_endpoint(ctx, caller, endpoint_id)
    now = ctx.clock.now()
    if since.tzinfo is None or not now - timedelta(days=KEPT_DAYS) <= _utc(since) <= now:
        raise errors.since_out_of_range(KEPT_DAYS)

    async def work(unit: UnitOfWork) -> Data[Recovered]:
        await _active(unit, endpoint_id)
        limit = _RECOVERED_AT_ONCE
        count = await repository.recover(unit.session, endpoint_id, _utc(since), unit.clock.now(), limit)
        return Data(data=Recovered(recovered=count, more=count == limit))

    answer = await ctx.idempotency.run(scope, work, status=202)
    _wake(ctx)
    return answer


async def send_test(ctx: WebhooksContext, caller: Principal, scope: IdempotencyScope, endpoint_id: UUID) -> Answer:
    """A delivery of type webhook_endpoint.test, whatever types were chosen. Raises NotFound, Forbidden, Conflict
    (webhook_endpoint_disabled)."""
    await owned_endpoint(ctx, caller, endpoint_id)

    async def work(unit: UnitOfWork) -> Data[DeliveryOut]:
        endpoint = await _active(unit, endpoint_id)
        event_id, now = new_id(), unit.clock.now()
        data = {"id": str(endpoint_id), "object": "webhook_endpoint", "businessId": str(endpoint.business_id)}
        row = _row(
            endpoint,
            event_id=event_id,
            event_type=TEST_TYPE,
            subject_id=endpoint_id,
            sequence=endpoint.version,
            body=written(event_id, TEST_TYPE, now, endpoint.version, data),
            occurred_at=now,
            now=now,
        )
        await repository.add(unit.session, [row])
        delivery = await repository.find(unit.session, endpoint_id, row["id"])
        assert delivery is not None
        return Data(data=schemas.shown(delivery))

    answer = await ctx.idempotency.run(scope, work, status=202)
    _wake(ctx)
    return answer


def _row(
    endpoint: WebhookEndpoint,
    *,
    event_id: UUID,
    event_type: str,
    subject_id: UUID,
    sequence: int,
    body: str,
    occurred_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "endpoint_id": endpoint.id,
        "business_id": endpoint.business_id,
        "event_id": event_id,
        "event_type": event_type,
        "subject_id": subject_id,
        "sequence": sequence,
        "payload": body,
        "status": (DeliveryStatus.PENDING if endpoint.is_active else DeliveryStatus.SKIPPED).value,
        "next_attempt_at": now if endpoint.is_active else None,
        "occurred_at": occurred_at,
        "created_at": now,
    }


async def _active(unit: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = await endpoints.lock(unit.session, endpoint_id)
    if endpoint is None:
        raise endpoint_not_found()
    if not endpoint.is_active:
        raise endpoint_disabled()
    return endpoint


def _in_hand(delivery: WebhookDelivery, now: datetime) -> bool:
    return delivery.worker is not None and delivery.next_attempt_at is not None and delivery.next_attempt_at > now


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise errors.since_out_of_range(KEPT_DAYS) from None


def _wake(ctx: WebhooksContext) -> None:
    for courier in ctx.couriers:
        courier.wake()
