"""Use cases of switching messages off by a link. The link is the right to use it: it names one message we sent."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.localization import Language
from chassis.tenancy import everyone
from kernel import NotFound, new_id

from notifications.context import NotificationsContext
from notifications.messages import repository as messages
from notifications.messages.classes import EventClass, class_of
from notifications.messages.contacts import language_of
from notifications.messages.models import Notification
from notifications.messages.templates import Template
from notifications.unsubscribe import repository


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link would switch off. shop: who writes; empty for Cobro itself."""

    language: Language
    kind: EventClass
    shop: str


async def look(ctx: NotificationsContext, token: str) -> Subscription:
    """What the link is about; nothing is changed. Raises NotFound."""
    notification, kind = await _message(ctx, token)
    return Subscription(language_of(notification.language or ""), kind, await _shop(ctx, notification.business_id))


async def switch_off(ctx: NotificationsContext, token: str) -> Subscription:
    """Once or often, with the same effect. Raises NotFound."""
    notification, kind = await _message(ctx, token)

    async def work(unit: UnitOfWork) -> None:
        await suppress(unit, notification, kind, ctx)

    with everyone():
        await ctx.database.run(work)
    return Subscription(language_of(notification.language or ""), kind, await _shop(ctx, notification.business_id))


async def suppress(unit: UnitOfWork, notification: Notification, kind: EventClass, ctx: NotificationsContext) -> None:
    values = {
        "id": new_id(),
        "business_id": notification.business_id,
        "user_id": notification.user_id,
        "channel": notification.channel,
        "recipient_index": notification.recipient_index,
        "event_class": kind.value,
        "created_at": ctx.clock.now(),
    }
    await repository.add(unit.session, values)


async def _message(ctx: NotificationsContext, token: str) -> tuple[Notification, EventClass]:
    notification_id = ctx.links.read(token)
    found = None
    if notification_id is not None:
        with everyone():
            async with ctx.database.read() as session:
                found = await messages.find_any(session, notification_id)
    if found is None or found.recipient_index is None:
        raise _not_found()
    kind = class_of(Template(found.template))
    if kind.mandatory:
        raise _not_found()
    return found, kind


async def _shop(ctx: NotificationsContext, business_id: UUID | None) -> str:
    if business_id is None:
        return ""
    try:
        return (await ctx.directory.business(business_id)).name
    except NotFound:
        return ""


def _not_found() -> NotFound:
    return NotFound("There is no such link", code="link_not_found")
