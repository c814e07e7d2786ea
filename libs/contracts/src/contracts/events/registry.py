"""Who publishes what, and who consumes it from which queue. The topology of the bus is derived from this page alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from contracts.events.analytics import ReportWeeklyReady
from contracts.events.auth import (
    BranchCreated,
    BranchDeleted,
    BranchUpdated,
    BusinessCreated,
    BusinessDeleted,
    BusinessUpdated,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    UserCodeRequested,
    UserDeleted,
    UserKycReviewed,
    UserPasswordChanged,
    UserRegistered,
    UserUpdated,
)
from contracts.events.base import DomainEvent
from contracts.events.billing import InvoiceCanceled, InvoiceFailed, InvoiceIssued
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated, StockChanged, StockLow
from contracts.events.notifications import NotificationFailed, NotificationSent
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed, PaymentRefunded
from contracts.events.sales import (
    CashRegisterClosed,
    CashRegisterOpened,
    SaleCanceled,
    SaleCompleted,
    SaleCreated,
    SaleRefunded,
)
from contracts.events.webhooks import WebhookEndpointDisabled, WebhookReceived


class Lane(Enum):
    """How urgent a queue is: the number of its messages in hand at once. Lanes never wait for each other."""

    CRITICAL = 10
    HIGH = 5
    NORMAL = 1


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue per consuming service and concern; `name` is "<service>.<concern>"."""

    name: str
    lane: Lane
    events: tuple[type[DomainEvent], ...]

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


PRODUCERS: Mapping[str, tuple[type[DomainEvent], ...]] = MappingProxyType(
    {
        "auth": (
            UserRegistered,
            UserUpdated,
            UserDeleted,
            UserPasswordChanged,
            UserCodeRequested,
            UserKycReviewed,
            BusinessCreated,
            BusinessUpdated,
            BusinessDeleted,
            BranchCreated,
            BranchUpdated,
            BranchDeleted,
            MemberAdded,
            MemberUpdated,
            MemberRemoved,
        ),
        "catalog": (ProductCreated, ProductUpdated, ProductDeleted, StockChanged, StockLow),
        "sales": (SaleCreated, SaleCompleted, SaleCanceled, SaleRefunded, CashRegisterOpened, CashRegisterClosed),
        "payments": (PaymentCreated, PaymentConfirmed, PaymentFailed, PaymentRefunded),
        "webhooks": (WebhookReceived, WebhookEndpointDisabled),
        "billing": (InvoiceIssued, InvoiceFailed, InvoiceCanceled),
        "notifications": (NotificationSent, NotificationFailed),
        "analytics": (ReportWeeklyReady,),
    }
)

QUEUES: tuple[Queue, ...] = (
    Queue("catalog.directory", Lane.HIGH, (BusinessUpdated, BusinessDeleted, BranchUpdated, BranchDeleted)),
    Queue("payments.directory", Lane.HIGH, (BusinessUpdated, BusinessDeleted)),
    Queue("payments.webhooks", Lane.CRITICAL, (WebhookReceived,)),
    Queue("sales.payments", Lane.CRITICAL, (PaymentConfirmed, PaymentFailed, PaymentRefunded)),
    Queue("billing.sales", Lane.HIGH, (SaleCompleted, SaleRefunded)),
    # What merchants may subscribe to; a deleted business takes its endpoints along.
    Queue(
        "webhooks.merchants",
        Lane.HIGH,
        (
            PaymentCreated,
            PaymentConfirmed,
            PaymentFailed,
            PaymentRefunded,
            SaleCreated,
            SaleCompleted,
            SaleCanceled,
            SaleRefunded,
            CashRegisterOpened,
            CashRegisterClosed,
            InvoiceIssued,
            InvoiceFailed,
            InvoiceCanceled,
            ProductCreated,
            ProductUpdated,
            ProductDeleted,
            StockChanged,
            StockLow,
            WebhookEndpointDisabled,
            BusinessDeleted,
        ),
    ),
    Queue("notifications.critical", Lane.CRITICAL, (PaymentConfirmed, PaymentFailed, PaymentRefunded)),
    # Apart, because a code is worth ten minutes and someone is looking at their phone.
    Queue("notifications.codes", Lane.CRITICAL, (UserCodeRequested,)),
    Queue(
        "notifications.high",
        Lane.HIGH,
        (
            UserRegistered,
            UserDeleted,
            UserPasswordChanged,
            UserKycReviewed,
            MemberAdded,
            InvoiceIssued,
            SaleCanceled,
            SaleRefunded,
            CashRegisterClosed,
        ),
    ),
    Queue("notifications.normal", Lane.NORMAL, (StockLow, InvoiceFailed, WebhookEndpointDisabled, ReportWeeklyReady)),
    Queue(
        "analytics.facts",
        Lane.NORMAL,
        (
            SaleCreated,
            SaleCompleted,
            SaleCanceled,
            SaleRefunded,
            CashRegisterClosed,
            PaymentCreated,
            PaymentConfirmed,
            PaymentFailed,
            PaymentRefunded,
            StockChanged,
            ProductCreated,
            ProductUpdated,
            ProductDeleted,
            InvoiceIssued,
        ),
    ),
)

EVENTS: Mapping[str, type[DomainEvent]] = MappingProxyType(
    {event.type: event for events in PRODUCERS.values() for event in events}
)


def queue(name: str) -> Queue:
    for candidate in QUEUES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no queue {name!r} in the event registry")


def producer_of(event: type[DomainEvent]) -> str:
    return next(service for service, events in PRODUCERS.items() if event in events)


def queues_of(event: type[DomainEvent]) -> tuple[Queue, ...]:
    return tuple(candidate for candidate in QUEUES if event in candidate.events)
