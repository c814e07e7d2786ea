"""Changes of a document as events."""

from __future__ import annotations

from contracts.events import MoneyAmount
from contracts.events.billing import InvoiceFailed, InvoiceIssued

from billing.invoices.models import Invoice


def issued(invoice: Invoice) -> InvoiceIssued:
    assert invoice.issued_at is not None
    return InvoiceIssued(
        aggregate_id=invoice.id,
        aggregate_version=invoice.version,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.sale_id,
        invoice_number=invoice.invoice_number,
        total=MoneyAmount.of(invoice.money(invoice.total)),
        time_zone=invoice.time_zone,
        issued_at=invoice.issued_at,
    )


def failed(invoice: Invoice) -> InvoiceFailed:
    return InvoiceFailed(
        aggregate_id=invoice.id,
        aggregate_version=invoice.version,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.sale_id,
        invoice_number=invoice.invoice_number,
        total=MoneyAmount.of(invoice.money(invoice.total)),
        time_zone=invoice.time_zone,
        reason=invoice.failure_reason or "unknown",
    )
