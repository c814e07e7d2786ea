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
    """kind: RECEIPT (of no tax authority), TICKET, INVOICE, CREDIT_NOTE. A sale may have several, such as its receipt
    and later an invoice. fiscal_id: the authority's (UUID, CUFE, CAE, folio), None of a receipt."""

    type: ClassVar[str] = "invoice.issued"

    issued_at: datetime
    kind: str = "RECEIPT"
    fiscal_id: str | None = None


class InvoiceFailed(_InvoiceChange):
    """invoice_number is empty where it failed before it had one."""

    type: ClassVar[str] = "invoice.failed"

    reason: str
    kind: str = "RECEIPT"


class InvoiceCanceled(_InvoiceChange):
    """The authority has canceled it, or accepted the credit note over all of it. motive: the country's code."""

    type: ClassVar[str] = "invoice.canceled"

    canceled_at: datetime
    kind: str
    fiscal_id: str | None
    motive: str | None
