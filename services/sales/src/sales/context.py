"""What the features of this service work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from kernel import Clock

from sales.sales.peers import Inventory, Payments
from sales.settings import SalesSettings
from sales.z_reports.renderer import Renderer


@dataclass(frozen=True, slots=True)
class SalesContext:
    settings: SalesSettings
    clock: Clock
    database: Database
    cipher: FieldCipher
    blind_index: BlindIndex
    idempotency: Idempotency
    access: Access
    directory: Directory
    inventory: Inventory
    payments: Payments
    z_reports: Renderer
