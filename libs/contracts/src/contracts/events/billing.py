"""Events of receipts and invoices."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.events.base import DomainEvent, MoneyAmount


class _InvoiceChange(DomainEvent):
    aggregate_type: ClassVar[str] = "invoice"

    business_id: UUID
    branch_id: UUID
    sale_id: UUID
    invoice_number: str
    total: MoneyAmount
    time_zone: str


class InvoiceIssued(_InvoiceChange):
    type: ClassVar[str] = "invoice.issued"

    issued_at: datetime


class InvoiceFailed(_InvoiceChange):
    type: ClassVar[str] = "invoice.failed"

    reason: str
