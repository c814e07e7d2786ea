"""Use cases of messages: writing one for an event, and showing what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.localization import Formatter, Language
from contracts.events import DomainEvent
from contracts.events.auth import UserCodeRequested
from kernel import Country, NotFound, new_id

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.delivery.lanes import lane_of
from notifications.messages import repository
from notifications.messages.contacts import Contact
from notifications.messages.models import content_place, recipient_place
from notifications.messages.status import NotificationStatus
from notifications.messages.templates import Template, Wording
from notifications.preferences.service import Preferences, of_business


class Letter:
    """A message to be written: in whose name, in which words. Amounts and dates go through `formatter`.

    It belongs to a business or to an account (user_id). What Cobro says to an account is in no shop's name, and no
    business's preferences silence it.
    """

    def __init__(
        self,
        ctx: NotificationsContext,
        preferences: Preferences,
        country: Country,
        *,
        shop: str = "",
        business_id: UUID | None = None,
        user_id: UUID | None = None,
    ) -> None:
        self._ctx = ctx
        self.shop = shop
        self.business_id = business_id
        self.user_id = user_id
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
    preferences = await of_business(ctx.database, business_id)
    return Letter(ctx, preferences, business.country, shop=business.name, business_id=business_id)


def account_letter(ctx: NotificationsContext, user_id: UUID, language: Language) -> Letter:
    # An account has no country; the Spanish of all of ours writes a date alike.
    return Letter(ctx, Preferences(language), Country.MX, user_id=user_id)


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
    only: Channel | None = None,
) -> None:
    """Write the message once per channel the business allows and the recipient has, with the event, in one transaction.

    Everything that needs the network was gathered before; sending follows after the commit.
    """
    wording = Wording(template, to.preferences.language, to.shop, values, link)
    recipients = {
        channel: recipient
        for channel, recipient in contact.by_channel().items()
        if channel in to.preferences.channels and only in (None, channel)
    }
    if first_channel_only:
        recipients = dict(list(recipients.items())[:1])
    await _add(ctx, received, [_row(ctx, received, to, wording, *item) for item in recipients.items()])


async def write_code(ctx: NotificationsContext, received: Received[UserCodeRequested]) -> None:
    """Note that a code is to be sent. What it is and to whom, the sender asks at each try: neither is stored."""
    event = received.event
    row = {
        **_common(ctx, received, Channel(event.channel.upper()), Template(event.purpose)),
        "user_id": event.user_id,
        "code_id": event.aggregate_id,
        "expires_at": event.expires_at,
    }
    await _add(ctx, received, [row])


async def _add(ctx: NotificationsContext, received: Received[DomainEvent], rows: Sequence[Mapping[str, Any]]) -> None:
    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            await repository.add(unit.session, rows)

    await ctx.database.run(work)
    if rows:
        ctx.senders[received.queue].wake()


def _row(
    ctx: NotificationsContext,
    received: Received[DomainEvent],
    to: Letter,
    wording: Wording,
    channel: Channel,
    recipient: str,
) -> dict[str, Any]:
    common = _common(ctx, received, channel, wording.template)
    content = ctx.templates.render(wording, channel)
    return {
        **common,
        "business_id": to.business_id,
        "user_id": to.user_id,
        "language": wording.language.value,
        "recipient": ctx.cipher.encrypt(recipient, context=recipient_place(common["id"])),
        "recipient_index": ctx.blind_index.of(recipient.lower(), column="notifications.recipient"),
        "content": ctx.cipher.encrypt(content.model_dump_json(), context=content_place(common["id"])),
    }


def _common(
    ctx: NotificationsContext, received: Received[DomainEvent], channel: Channel, template: Template
) -> dict[str, Any]:
    now = ctx.clock.now()
    return {
        "id": new_id(),
        "cause_event_id": received.id,
        "cause": received.event.type,
        "lane": lane_of(received.queue),
        "channel": channel.value,
        "template": template.value,
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
    businesses = await ctx.access.visible(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        return await repository.list_page(session, businesses, params, channel=channel, status=status)
