"""Changes of a document as events."""

from __future__ import annotations

from contracts.events import MoneyAmount
from contracts.events.billing import InvoiceCanceled, InvoiceFailed, InvoiceIssued

from billing.invoices.models import Invoice


def issued(invoice: Invoice) -> InvoiceIssued:
    assert invoice.issued_at is not None
    assert invoice.for_sale_id is not None
    return InvoiceIssued(
        aggregate_id=invoice.id,
        aggregate_version=invoice.version,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.for_sale_id,
        invoice_number=invoice.invoice_number,
        total=MoneyAmount.of(invoice.money(invoice.total)),
        time_zone=invoice.time_zone,
        issued_at=invoice.issued_at,
        kind=invoice.kind,
        fiscal_id=invoice.fiscal_id,
    )


def failed(invoice: Invoice) -> InvoiceFailed:
    assert invoice.for_sale_id is not None
    return InvoiceFailed(
        aggregate_id=invoice.id,
        aggregate_version=invoice.version,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.for_sale_id,
        invoice_number=invoice.invoice_number,
        total=MoneyAmount.of(invoice.money(invoice.total)),
        time_zone=invoice.time_zone,
        reason=invoice.failure_reason or "unknown",
        kind=invoice.kind,
    )


def canceled(invoice: Invoice) -> InvoiceCanceled:
    assert invoice.canceled_at is not None
    assert invoice.for_sale_id is not None
    return InvoiceCanceled(
        aggregate_id=invoice.id,
        aggregate_version=invoice.version,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.for_sale_id,
        invoice_number=invoice.invoice_number,
        total=MoneyAmount.of(invoice.money(invoice.total)),
        time_zone=invoice.time_zone,
        canceled_at=invoice.canceled_at,
        kind=invoice.kind,
        fiscal_id=invoice.fiscal_id,
        motive=invoice.cancel_motive,
    )
