"""Errors of documents."""

from __future__ import annotations

from kernel import Conflict, InvalidInput, NotFound, RuleViolation


def invoice_not_found() -> NotFound:
    return NotFound("Invoice not found", code="invoice_not_found")


def not_ready() -> NotFound:
    """The sale has its number, and the PDF follows within moments."""
    return NotFound("The document is still being prepared", code="receipt_not_ready", retry_after=2)


def profile_missing() -> RuleViolation:
    return RuleViolation(
        "The business has no fiscal profile: PUT /fiscal-profiles/{businessId} first", code="fiscal_profile_missing"
    )


def sale_already_invoiced() -> Conflict:
    return Conflict("A fiscal document stands for this sale; cancel it first", code="sale_already_invoiced")


def global_credited() -> Conflict:
    return Conflict(
        "Credit notes stand against the global invoice of this sale, which can no longer be taken apart",
        code="global_invoice_credited",
    )


def sale_not_found() -> NotFound:
    """Its event may still be on the way."""
    return NotFound("There is no such completed sale", code="sale_not_found", retry_after=2)


def not_fiscal() -> RuleViolation:
    return RuleViolation("A receipt is no document of a tax authority", code="not_a_fiscal_document")


def not_cancelable() -> Conflict:
    return Conflict("Only an issued document that is not being canceled can be canceled", code="invoice_not_cancelable")


def nothing_left() -> Conflict:
    return Conflict("Credit notes have taken back all of the document", code="invoice_already_credited")


def motive_unknown(known: str) -> InvalidInput:
    return InvalidInput.field("motive", f"must be one of {known}")


def xml_not_ready() -> NotFound:
    return NotFound("The document is still on its way to the authority", code="xml_not_ready", retry_after=5)


def already_issued() -> Conflict:
    return Conflict("The document has been issued", code="invoice_already_issued")
