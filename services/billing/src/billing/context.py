"""What routes, consumers and gRPC work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from fiscal.registry import FiscalRegistry
from kernel import Clock

from billing.global_invoices.service import GlobalInvoices
from billing.invoices.issuing import Issuer
from billing.invoices.links import DocumentLinks
from billing.profiles.data import ProfileVault
from billing.receipts.link import ReceiptLinks
from billing.receipts.service import Receipts
from billing.transmission.answers import Papers
from billing.transmission.transmitter import Transmitter


@dataclass(frozen=True, slots=True)
class BillingContext:
    database: Database
    clock: Clock
    access: Access
    idempotency: Idempotency
    receipts: Receipts
    links: ReceiptLinks
    issuer: Issuer
    directory: Directory
    fiscal: FiscalRegistry
    vault: ProfileVault
    papers: Papers
    files: DocumentLinks
    transmitter: Transmitter
    global_invoices: GlobalInvoices
