"""Queue analytics.facts: everything that is counted."""

from __future__ import annotations

from typing import Final

from chassis.bus.consumer import Consumer, DeadLetter
from chassis.bus.received import Received
from contracts.events import DomainEvent

from analytics.context import AnalyticsContext
from analytics.facts.rows import TRANSLATIONS, rows_of
from analytics.facts.service import Told

AT_ONCE: Final = 200


async def on_event(ctx: AnalyticsContext, received: Received[DomainEvent]) -> None:
    try:
        rows = rows_of(received.event, received.occurred_at)
    except ValueError as error:
        # What makes no sense now will make none in ten minutes.
        raise DeadLetter(str(error)) from None
    await ctx.batches.put(Told(received, rows))


CONSUMER = Consumer("analytics.facts", dict.fromkeys(TRANSLATIONS, on_event), at_once=AT_ONCE)
