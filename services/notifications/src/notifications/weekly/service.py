"""Write to the owner of a business what its week brought."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from decimal import Decimal

from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.localization import Formatter
from contracts.events.analytics import ReportWeeklyReady

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.messages import service as messages
from notifications.messages.templates import Template
from notifications.weekly.chart import Bar, draw


async def tell(ctx: NotificationsContext, received: Received[ReportWeeklyReady]) -> None:
    """By e-mail to the owner's own address, in the owner's language and the business's colour. Raises Unavailable while
    auth cannot be asked."""
    event = received.event
    assert event.business_id is not None
    found = await messages.letter(ctx, event.business_id)
    if found is None or found.owner_id is None:
        return
    account = await ctx.contacts.account(found.owner_id)
    to = found.in_language(account.language)
    reader = await messages.reader(ctx, found.owner_id)
    words = {
        name: ctx.templates.part(Template.WEEKLY_SUMMARY, account.language, name, {})
        for name in ("this_week", "week_before")
    }
    # Off the event loop: drawing takes a tenth of a second.
    picture = await asyncio.to_thread(draw, _bars(event, to.formatter), color=to.preferences.look.color, **words)
    values = _values(event, to.formatter)
    draft = messages.Draft(
        messages.Cause.of(received),
        to,
        account.contact,
        Template.WEEKLY_SUMMARY,
        values,
        only=Channel.EMAIL,
        reader=reader,
        rows=[
            (product.name, f"{product.units} × · {to.formatter.money(product.revenue.money)}")
            for product in event.products
        ],
        image=b64encode(picture).decode(),
        image_alt=ctx.templates.part(Template.WEEKLY_SUMMARY, account.language, "alt", values),
    )

    async def work(unit: UnitOfWork) -> bool:
        return await unit.accept(received) and await messages.put(ctx, unit, draft)

    if await ctx.database.run(work):
        ctx.senders[received.queue].wake()


def _bars(event: ReportWeeklyReady, formatter: Formatter) -> list[Bar]:
    return [
        Bar(
            formatter.weekday(day.day),
            day.revenue.money.decimal,
            formatter.short(day.revenue.money.decimal),
            day.previous.money.decimal,
        )
        for day in event.days
    ]


def _values(event: ReportWeeklyReady, formatter: Formatter) -> dict[str, str]:
    best = max(event.days, key=lambda day: day.revenue.money.decimal)
    return {
        "first": formatter.day(event.first),
        "last": formatter.day(event.last),
        "revenue": formatter.money(event.revenue.money),
        "sales": str(event.sales),
        "ticket": formatter.money(event.average_ticket.money),
        "change": _change(event, formatter),
        "refunds": formatter.money(event.refunds.money),
        "cash": formatter.money(event.cash_difference.money),
        "best_day": formatter.weekday(best.day),
        "hour": "—" if event.busiest_hour is None else f"{event.busiest_hour:02}:00",
    }


def _change(event: ReportWeeklyReady, formatter: Formatter) -> str:
    """Against the week before, with its sign; a dash where nothing was sold then."""
    before = event.previous_revenue.money.decimal
    if not before:
        return "—"
    change = (event.revenue.money.decimal - before) / before
    return f"{'+' if change > 0 else ''}{formatter.rate(change.quantize(Decimal('0.001')))}"
