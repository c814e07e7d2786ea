"""What routes and consumers work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from chassis.auth import Access
from chassis.crypto import FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from chassis.http.app import context_of
from kernel import Clock
from psp.provider import WebhookReceiver

from webhooks.endpoints.destinations import GuardedResolver, Policy
from webhooks.inbound.accounts import AccountVerifier


class Wakeable(Protocol):
    """Who sends deliveries, as those see it who write them."""

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class WebhooksContext:
    """destinations, resolver: the guard on what merchants register; couriers have one of their own each."""

    clock: Clock
    database: Database
    cipher: FieldCipher
    idempotency: Idempotency
    access: Access
    directory: Directory
    receivers: Mapping[str, WebhookReceiver]
    accounts: AccountVerifier
    destinations: Policy
    resolver: GuardedResolver
    couriers: Sequence[Wakeable]


Ctx = Annotated[WebhooksContext, context_of(WebhooksContext)]
