"""What routes and consumers work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.auth import Access
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database import Database
from chassis.directory import Directory
from kernel import Clock

from notifications.delivery.sending import Sender
from notifications.messages.contacts import Contacts
from notifications.messages.templates import Templates


@dataclass(frozen=True, slots=True)
class NotificationsContext:
    """senders: one per queue, by its name."""

    database: Database
    clock: Clock
    cipher: FieldCipher
    blind_index: BlindIndex
    access: Access
    directory: Directory
    contacts: Contacts
    templates: Templates
    senders: Mapping[str, Sender]
