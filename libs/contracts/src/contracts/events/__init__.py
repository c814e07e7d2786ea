"""Domain events: one module per owner, the registry names producers and consumers."""

from contracts.events.base import DomainEvent, EventModel, MoneyAmount

__all__ = ["DomainEvent", "EventModel", "MoneyAmount"]
