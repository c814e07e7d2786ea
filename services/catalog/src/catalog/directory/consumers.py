"""Businesses and branches that auth changed: the cached copies are dropped."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from contracts.events import DomainEvent
from contracts.events.auth import BranchDeleted, BranchUpdated, BusinessDeleted, BusinessUpdated

from catalog.context import CatalogContext


async def forget(ctx: CatalogContext, received: Received[DomainEvent]) -> None:
    await ctx.directory.forget(received)


CONSUMER = Consumer(
    "catalog.directory",
    {BusinessUpdated: forget, BusinessDeleted: forget, BranchUpdated: forget, BranchDeleted: forget},
)
