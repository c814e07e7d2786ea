"""Use cases of digests: gather, and tell in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.runtime.jobs import Job
from chassis.tenancy import everyone
from contracts.events.catalog import StockLow
from kernel import new_id

from notifications.context import NotificationsContext
from notifications.digests import repository
from notifications.digests.models import DigestItem
from notifications.messages import service as messages
from notifications.messages.contacts import Contact
from notifications.messages.templates import Template

_QUEUE: Final = "notifications.normal"
_EVERY_SECONDS: Final = 10
_BUSINESSES: Final = 50
# More would not be read; how many there are is said.
_LINES: Final = 20
_ITEMS: Final = 1_000


async def gather(ctx: NotificationsContext, received: Received[StockLow]) -> None:
    event, now = received.event, ctx.clock.now()
    values = {
        "id": new_id(),
        "business_id": event.business_id,
        "cause_event_id": received.id,
        "branch_id": event.branch_id,
        "details": {
            "product": event.product_name,
            "on_hand": str(event.on_hand),
            "min_stock": str(event.min_stock),
        },
        "due_at": now + ctx.stock_digest,
        "created_at": now,
    }

    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            await repository.add(unit.session, values)

    await ctx.database.run(work)


def digest_job(ctx: NotificationsContext) -> Job:
    return Job("stock-digests", _EVERY_SECONDS, lambda: tell_due(ctx))


async def tell_due(ctx: NotificationsContext) -> int:
    """Tell every business what has waited long enough; returns how many were told. Raises Unavailable while auth cannot
    be asked: what waits, goes on waiting."""
    with everyone():
        async with ctx.database.read() as session:
            due = await repository.businesses_due(session, ctx.clock.now(), _BUSINESSES)
    for business_id in due:
        with everyone():
            await _tell(ctx, business_id)
    return len(due)


async def _tell(ctx: NotificationsContext, business_id: UUID) -> None:
    to = await messages.letter(ctx, business_id)
    contact = await ctx.contacts.merchant(business_id)
    reader = await messages.reader(ctx, to.owner_id) if to is not None and to.owner_id else messages.NOBODY
    branches = await _branch_names(ctx, business_id)

    async def work(unit: UnitOfWork) -> None:
        items = await repository.take(unit.session, business_id, _ITEMS)
        if to is not None and items:
            await messages.put(ctx, unit, _draft(ctx, to, contact, reader, items, branches))

    await ctx.database.run(work)
    ctx.senders[_QUEUE].wake()


async def _branch_names(ctx: NotificationsContext, business_id: UUID) -> Mapping[UUID, str]:
    """Asked for before the transaction, which must not wait for another service."""
    async with ctx.database.read() as session:
        ids = await repository.branches(session, business_id)
    return {branch_id: await ctx.contacts.branch_name(business_id, branch_id) for branch_id in ids}


def _draft(
    ctx: NotificationsContext,
    to: messages.Letter,
    contact: Contact,
    reader: messages.Reader,
    items: Sequence[DigestItem],
    branches: Mapping[UUID, str],
) -> messages.Draft:
    language, template = to.preferences.language, Template.STOCK_LOW
    lines = [
        (
            str(item.details["product"]),
            ctx.templates.part(
                template, language, "item", {**item.details, "branch": branches.get(item.branch_id, "—")}
            ),
        )
        for item in items[:_LINES]
    ]
    if len(items) > _LINES:
        lines.append(("…", ctx.templates.part(template, language, "more", {"rest": str(len(items) - _LINES)})))
    values = {"count": str(len(items)), "product": str(items[0].details["product"])}
    return messages.Draft(
        # Told once per swarm: its first event stands for it.
        messages.Cause(items[0].cause_event_id, StockLow.type, _QUEUE),
        to,
        contact,
        template,
        values,
        first_channel_only=True,
        reader=reader,
        rows=lines,
    )
