"""Use cases of messages: writing one for an event, and showing what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.localization import Formatter, Language
from chassis.tenancy import on_behalf_of
from contracts.events import DomainEvent
from contracts.events.auth import UserCodeRequested, UserDeleted
from contracts.events.registry import Lane
from kernel import Country, NotFound, new_id

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.delivery.lanes import lane_of, urgency_of
from notifications.devices import repository as devices
from notifications.devices.service import tokens_of
from notifications.messages import errors, repository
from notifications.messages.classes import EventClass, class_of
from notifications.messages.contacts import Contact
from notifications.messages.models import Notification, NotificationStep, content_place, recipient_place
from notifications.messages.repository import NotificationFilter
from notifications.messages.status import StepKind
from notifications.messages.templates import Template, Wording
from notifications.preferences.quiet import QuietHours
from notifications.preferences.repository import forget_personal
from notifications.preferences.service import PersonalPreferences, Preferences, of_business, of_user
from notifications.unsubscribe import repository as suppressions

_MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes us write: an event, and the queue whose lane the message takes."""

    event_id: UUID
    type: str
    queue: str

    @classmethod
    def of(cls, received: Received[DomainEvent]) -> Self:
        return cls(received.id, received.event.type, received.queue)


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
        owner_id: UUID | None = None,
        user_id: UUID | None = None,
        time_zone: str = "UTC",
    ) -> None:
        self._ctx = ctx
        self._country = country
        self.shop = shop
        self.business_id = business_id
        self.owner_id = owner_id
        self.user_id = user_id
        self.time_zone = time_zone
        self.preferences = preferences
        self.formatter = Formatter(preferences.language, country)

    def in_language(self, language: Language) -> Letter:
        """The same, for a reader whose own language is known."""
        return Letter(
            self._ctx,
            replace(self.preferences, language=language),
            self._country,
            shop=self.shop,
            business_id=self.business_id,
            owner_id=self.owner_id,
            user_id=self.user_id,
            time_zone=self.time_zone,
        )

    def method(self, name: str) -> str:
        """A payment method in the reader's words."""
        return self._ctx.templates.method(self.preferences.language, name)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is written to beyond an address: a user, with devices and a will of their own."""

    tokens: Sequence[str] = field(default=(), repr=False)
    preferences: PersonalPreferences = field(default_factory=PersonalPreferences)


NOBODY: Final = Reader()


async def letter(ctx: NotificationsContext, business_id: UUID) -> Letter | None:
    """None for a business that is gone: nobody speaks in its name any more."""
    try:
        business = await ctx.directory.business(business_id)
    except NotFound:
        return None
    preferences = await of_business(ctx.database, business_id)
    return Letter(
        ctx,
        preferences,
        business.country,
        shop=business.name,
        business_id=business_id,
        owner_id=business.owner_id,
        time_zone=business.time_zone,
    )


def account_letter(ctx: NotificationsContext, user_id: UUID, language: Language) -> Letter:
    # An account has no country; the Spanish of all of ours writes a date alike.
    return Letter(ctx, Preferences(language), Country.MX, user_id=user_id)


async def reader(ctx: NotificationsContext, user_id: UUID) -> Reader:
    """A user's devices and preferences, beside the scope that the caller has."""
    with on_behalf_of(user_id):
        preferences = await of_user(ctx.database, user_id)
        tokens = await tokens_of(ctx, user_id) if ctx.providers.get(Channel.PUSH) else ()
    return Reader(tokens, preferences)


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
    reader: Reader = NOBODY,
) -> None:
    """Write the message once per channel that is allowed and the recipient has, with the event, in one transaction.

    first_channel_only: e-mail, else SMS; devices hear of it besides. Everything that needs the network was gathered
    before; sending follows after the commit.
    """
    cause = Cause.of(received)
    draft = Draft(cause, to, contact, template, values, link, first_channel_only, only, reader)

    async def work(unit: UnitOfWork) -> bool:
        return await unit.accept(received) and await put(ctx, unit, draft)

    if await ctx.database.run(work):
        ctx.senders[cause.queue].wake()


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a message is made of; the arguments of `write`."""

    cause: Cause
    to: Letter
    contact: Contact
    template: Template
    values: Mapping[str, str]
    link: str = ""
    first_channel_only: bool = False
    only: Channel | None = None
    reader: Reader = NOBODY
    rows: Sequence[tuple[str, str]] = ()
    image: str = field(default="", repr=False)
    image_alt: str = ""


async def put(ctx: NotificationsContext, unit: UnitOfWork, draft: Draft) -> bool:
    """Write a draft's messages in the caller's transaction; returns whether there were any."""
    to, kind = draft.to, class_of(draft.template)
    recipients = [
        (channel, recipient, _index_of(ctx, channel, recipient))
        for channel, recipient in _recipients(draft)
        if ctx.providers.get(channel)
        and (channel in to.preferences.channels or kind.mandatory)
        and draft.reader.preferences.wants(kind, channel)
    ]
    if recipients and not kind.mandatory:
        unwanted = await suppressions.suppressed(
            unit.session,
            {index for _, _, index in recipients},
            event_class=kind.value,
            business_id=to.business_id,
            user_id=to.user_id,
        )
        recipients = [item for item in recipients if (item[0].value, item[2]) not in unwanted]
    if draft.first_channel_only:
        first = next((channel for channel, _, _ in recipients if channel is not Channel.PUSH), None)
        recipients = [item for item in recipients if item[0] in (first, Channel.PUSH)]
    rows = [_row(ctx, draft, *item) for item in recipients]
    await repository.add(unit.session, rows)
    return bool(rows)


def _recipients(draft: Draft) -> Sequence[tuple[Channel, str]]:
    found = [*draft.contact.by_channel().items(), *((Channel.PUSH, token) for token in draft.reader.tokens)]
    return [(channel, recipient) for channel, recipient in found if draft.only in (None, channel)]


async def write_code(ctx: NotificationsContext, received: Received[UserCodeRequested]) -> None:
    """Note that a code is to be sent. What it is and to whom, the sender asks at each try: neither is stored."""
    event, cause = received.event, Cause.of(received)
    row = {
        **_common(ctx, cause, Channel(event.channel.upper()), Template(event.purpose)),
        "user_id": event.user_id,
        "code_id": event.aggregate_id,
        "expires_at": event.expires_at,
    }

    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            await repository.add(unit.session, [row])

    await ctx.database.run(work)
    ctx.senders[cause.queue].wake()


def _index_of(ctx: NotificationsContext, channel: Channel, recipient: str) -> bytes:
    # A device's token means what it says to the letter; an address does not.
    value = recipient if channel is Channel.PUSH else recipient.lower()
    return ctx.blind_index.of(value, column="notifications.recipient")


def _row(ctx: NotificationsContext, draft: Draft, channel: Channel, recipient: str, index: bytes) -> dict[str, Any]:
    to, kind = draft.to, class_of(draft.template)
    common = _common(ctx, draft.cause, channel, draft.template)
    wording = Wording(
        draft.template,
        to.preferences.language,
        to.shop,
        draft.values,
        draft.link,
        rows=draft.rows,
        unsubscribe="" if kind.mandatory else ctx.links.link(common["id"]),
        branding=to.preferences.look,
        image=draft.image,
        image_alt=draft.image_alt,
    )
    content = ctx.templates.render(wording, channel)
    quiet = _quiet_hours(draft, kind)
    waits = quiet.over_at(common["created_at"]) if quiet else None
    return {
        **common,
        "business_id": to.business_id,
        "user_id": to.user_id,
        "language": wording.language.value,
        "recipient": ctx.cipher.encrypt(recipient, context=recipient_place(common["id"])),
        "recipient_index": index,
        "content": ctx.cipher.encrypt(content.model_dump_json(), context=content_place(common["id"])),
        "quiet_hours": str(quiet) if quiet else None,
        "next_attempt_at": waits or common["next_attempt_at"],
    }


def _quiet_hours(draft: Draft, kind: EventClass) -> QuietHours | None:
    """The reader's own, else the business's. Codes, payments and what concerns safety do not wait."""
    if kind.mandatory or urgency_of(draft.cause.queue) is Lane.CRITICAL:
        return None
    return draft.reader.preferences.quiet or draft.to.preferences.quiet_in(draft.to.time_zone)


def _common(ctx: NotificationsContext, cause: Cause, channel: Channel, template: Template) -> dict[str, Any]:
    now = ctx.clock.now()
    return {
        "id": new_id(),
        "cause_event_id": cause.event_id,
        "cause": cause.type,
        "lane": lane_of(cause.queue),
        "channel": channel.value,
        "template": template.value,
        "created_at": now,
        "next_attempt_at": now,
    }


async def forget_user(ctx: NotificationsContext, received: Received[UserDeleted]) -> None:
    """Whoever closes their account leaves no device, no preferences and nothing unsubscribed behind."""
    user_id = received.event.aggregate_id

    async def work(unit: UnitOfWork) -> None:
        if await unit.accept(received):
            await devices.forget(unit.session, user_id)
            await forget_personal(unit.session, user_id)
            await suppressions.forget(unit.session, user_id)

    await ctx.database.run(work)


async def list_notifications(
    ctx: NotificationsContext,
    caller: Principal,
    params: PageParams,
    *,
    business_id: UUID | None,
    wanted: NotificationFilter,
) -> Slice:
    """Newest first, of the businesses the caller owns: a message's recipient is none of an employee's business."""
    businesses = await ctx.access.visible(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        return await repository.list_page(session, businesses, params, wanted=wanted)


async def notification_for(
    ctx: NotificationsContext, caller: Principal, notification_id: UUID
) -> tuple[Notification, Sequence[NotificationStep]]:
    """A message with what happened to it. Raises NotFound, the same for an absent one, for another tenant's and for
    what an account was sent; Forbidden."""

    async def find() -> tuple[Notification, Sequence[NotificationStep]]:
        async with ctx.database.read() as session:
            found = await repository.find(session, notification_id)
            if found is None:
                raise errors.notification_not_found()
            return found, await repository.steps_of(session, notification_id, _MOST_STEPS)

    found, steps = await ctx.access.find(caller, find)
    assert found.business_id is not None
    try:
        await ctx.access.require(caller, found.business_id, Permission.MANAGE)
    except NotFound:
        raise errors.notification_not_found() from None
    return found, steps


async def redrive(
    ctx: NotificationsContext, unit: UnitOfWork, notification_id: UUID, caller: Principal
) -> Notification:
    """A dead letter is sent again, with three tries and a day before it. Raises Conflict where it is none."""
    now = ctx.clock.now()
    found = await repository.redrive(unit.session, notification_id, now)
    if found is None:
        raise errors.not_failed()
    step = {
        "id": new_id(),
        "notification_id": found.id,
        "business_id": found.business_id,
        "kind": StepKind.REDRIVE.value,
        "outcome": "REDRIVEN",
        "answer": str(caller.user_id),
        "at": now,
    }
    await repository.add_step(unit.session, step)
    return found
