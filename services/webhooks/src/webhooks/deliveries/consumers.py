"""The events merchants may subscribe to, from the bus."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from contracts.events.auth import BusinessDeleted
from contracts.events.registry import queue

from webhooks.deliveries import service
from webhooks.endpoints.schemas import QUEUE

CONSUMERS = (
    Consumer(
        QUEUE,
        {event: service.write for event in queue(QUEUE).events if event is not BusinessDeleted}
        | {BusinessDeleted: service.forget_business},
    ),
)
