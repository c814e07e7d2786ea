"""The lanes: one per queue, from the event to the provider. None waits for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.events.registry import QUEUES, Lane
from contracts.events.registry import queue as queue_named

AT_ONCE: Final[Mapping[str, int]] = {
    queue.name: queue.lane.value for queue in QUEUES if queue.service == "notifications"
}
"""How many messages of a queue are in hand at once."""


def lane_of(queue: str) -> str:
    """The lane's name in the table: CODES for notifications.codes."""
    return queue.partition(".")[2].upper()


def urgency_of(queue: str) -> Lane:
    return queue_named(queue).lane


def queue_of(lane: str) -> str:
    """The queue whose lane this is: notifications.codes for CODES."""
    return f"notifications.{lane.lower()}"
