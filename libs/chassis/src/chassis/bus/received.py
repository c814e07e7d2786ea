"""An event as a consumer gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from contracts.events import DomainEvent

from chassis.tenancy import Tenancy

EventT_co = TypeVar("EventT_co", bound=DomainEvent, covariant=True)


@dataclass(slots=True)
class Received(Generic[EventT_co]):
    """`id` is the CloudEvents id, the same for every delivery; `attempt` starts at 0.

    A handler records it in its transaction: `if not await unit.accept(received): return`.
    """

    id: UUID
    queue: str
    event: EventT_co
    occurred_at: datetime
    attempt: int = 0
    accepted: bool = False

    @property
    def scope(self) -> Tenancy:
        """Whose rows a handler may touch: the event's business; everyone's where the event belongs to none."""
        business_id = self.event.business_id
        return Tenancy(everyone=True) if business_id is None else Tenancy(businesses=frozenset({business_id}))
