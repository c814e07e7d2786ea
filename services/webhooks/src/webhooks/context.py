"""What routes work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.crypto import FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from kernel import Clock
from psp.provider import WebhookReceiver


@dataclass(frozen=True, slots=True)
class WebhooksContext:
    clock: Clock
    database: Database
    cipher: FieldCipher
    idempotency: Idempotency
    receivers: Mapping[str, WebhookReceiver]
