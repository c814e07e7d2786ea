"""What routes, consumers and gRPC work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from kernel import Clock

from billing.invoices.issuing import Issuer
from billing.receipts.link import ReceiptLinks
from billing.receipts.service import Receipts


@dataclass(frozen=True, slots=True)
class BillingContext:
    database: Database
    clock: Clock
    access: Access
    idempotency: Idempotency
    receipts: Receipts
    links: ReceiptLinks
    issuer: Issuer
    public_url: str
