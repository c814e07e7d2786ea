"""What routes and consumers work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chassis.auth import Access
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from kernel import Clock

from notifications.callbacks.verifiers import CallbackVerifiers
from notifications.channels.port import Channel, MessageChannel
from notifications.delivery.sending import Sender
from notifications.messages.contacts import Contacts
from notifications.messages.templates import Templates
from notifications.unsubscribe.links import UnsubscribeLinks


@dataclass(frozen=True, slots=True)
class NotificationsContext:
    """senders: one per queue, by its name. providers: those of each channel, in the order in which they are asked; a
    channel without any is not written to. links: makes and reads the links that switch messages off."""

    database: Database
    clock: Clock
    cipher: FieldCipher
    blind_index: BlindIndex
    access: Access
    directory: Directory
    contacts: Contacts
    templates: Templates
    senders: Mapping[str, Sender]
    idempotency: Idempotency
    providers: Mapping[Channel, Sequence[MessageChannel]]
    links: UnsubscribeLinks
    callbacks: CallbackVerifiers
    stock_digest: timedelta
