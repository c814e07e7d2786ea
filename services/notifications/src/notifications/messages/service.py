"""Use cases of messages: writing one for an event, and showing what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.localization import Formatter
from contracts.events import DomainEvent
from contracts.events.registry import queue
from kernel import Country, NotFound, new_id

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.messages import repository
from notifications.messages.contacts import Contact
from notifications.messages.models import content_place, recipient_place
from notifications.messages.status import NotificationStatus
from notifications.messages.templates import Template, Wording
from notifications.preferences.service import Preferences, of_business


class Letter:
    """One message to be written: to whom, in which words. Amounts and dates go through `formatter`."""

    def __init__(self, ctx: NotificationsContext, name: str, country: Country, preferences: Preferences) -> None:
        self._ctx = ctx
        self.shop = name
        self.preferences = preferences
        self.formatter = Formatter(preferences.language, country)

    def method(self, name: str) -> str:
        """A payment method in the reader's words."""
        methods: Mapping[str, str] = self._ctx.templates.texts[self.preferences.language]["methods"]
        return methods.get(name, name)


async def letter(ctx: NotificationsContext, business_id: UUID) -> Letter | None:
    """None for a business that is gone: nobody speaks in its name any more."""
    try:
        business = await ctx.directory.business(business_id)
    except NotFound:
        return None
    return Letter(ctx, business.name, business.country, await of_business(ctx.database, business_id))


async def write(
    ctx: NotificationsContext,
    received: Received[DomainEvent],
    to: Letter,
    contact: Contact,
    template: Template,
    values: Mapping[str, str],
    *,
    link: str = "",
    first_channel_only: bool = False,
) -> None:
    """Write the message once per channel the business allows and the recipient has, with the event, in one transaction.

    Everything that needs the network was gathered before; sending follows after the commit.
    """
    business_id = received.event.business_id
    assert business_id is not None
    wording = Wording(template, to.preferences.language, to.shop, values, link)
    recipients = {
        channel: recipient for channel, recipient in contact.by_channel().items() if channel in to.preferences.channels
    }
    if first_channel_only:
        recipients = dict(list(recipients.items())[:1])
    lane = queue(received.queue).lane.name
    rows = [_row(ctx, received, business_id, lane, wording, *item) for item in recipients.items()]

    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            await repository.add(unit.session, rows)

    await ctx.database.run(work)
    if rows:
        ctx.senders[lane].wake()


def _row(
    ctx: NotificationsContext,
    received: Received[DomainEvent],
    business_id: UUID,
    lane: str,
    wording: Wording,
    channel: Channel,
    recipient: str,
) -> dict[str, Any]:
    notification_id, now = new_id(), ctx.clock.now()
    content = ctx.templates.render(wording, channel)
    return {
        "id": notification_id,
        "business_id": business_id,
        "cause_event_id": received.id,
        "cause": received.event.type,
        "lane": lane,
        "channel": channel.value,
        "template": wording.template.value,
        "language": wording.language.value,
        "recipient": ctx.cipher.encrypt(recipient, context=recipient_place(notification_id)),
        "recipient_index": ctx.blind_index.of(recipient.lower(), column="notifications.recipient"),
        "content": ctx.cipher.encrypt(content.model_dump_json(), context=content_place(notification_id)),
        "created_at": now,
        "next_attempt_at": now,
    }


async def list_notifications(
    ctx: NotificationsContext,
    caller: Principal,
    params: PageParams,
    *,
    business_id: UUID | None,
    channel: Channel | None,
    status: NotificationStatus | None,
) -> Slice:
    """Newest first, of the businesses the caller owns: a message's recipient is none of an employee's business."""
    if business_id is not None:
        await ctx.access.require(caller, business_id, Permission.MANAGE)
        businesses: list[UUID] | None = [business_id]
    elif caller.is_admin:
        businesses = None
    else:
        owned = [item for item in caller.memberships.values() if item.role is BusinessRole.OWNER]
        businesses = [membership.business_id for membership in owned]
    async with ctx.database.read() as session:
        return await repository.list_page(session, businesses, params, channel=channel, status=status)
