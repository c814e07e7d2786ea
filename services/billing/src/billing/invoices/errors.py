"""Errors of documents."""

from __future__ import annotations

from kernel import Conflict, NotFound


def invoice_not_found() -> NotFound:
    return NotFound("Invoice not found", code="invoice_not_found")


def not_ready() -> NotFound:
    """The sale has its number, and the PDF follows within moments."""
    return NotFound("The document is still being prepared", code="receipt_not_ready", retry_after=2)


def already_issued() -> Conflict:
    return Conflict("The document has been issued", code="invoice_already_issued")
