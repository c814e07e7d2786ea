"""What may become of a document."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class InvoiceKind(StrEnum):
    """RECEIPT: proof of the sale to the buyer, of no tax authority. The others are `fiscal.document.DocumentKind`."""

    RECEIPT = "RECEIPT"
    TICKET = "TICKET"
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    GLOBAL = "GLOBAL"


class InvoiceStatus(StrEnum):
    """The public statuses. A number, once given, stays with its document whatever becomes of it."""

    PENDING = "PENDING"
    ISSUED = "ISSUED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


TRANSITIONS: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = MappingProxyType(
    {
        InvoiceStatus.PENDING: frozenset({InvoiceStatus.ISSUED, InvoiceStatus.FAILED}),
        # A person who has mended the cause may ask for another try.
        InvoiceStatus.FAILED: frozenset({InvoiceStatus.PENDING}),
        InvoiceStatus.ISSUED: frozenset({InvoiceStatus.CANCELED}),
        InvoiceStatus.CANCELED: frozenset(),
    }
)


def sources_of(target: InvoiceStatus) -> frozenset[InvoiceStatus]:
    """The statuses from which `target` may be reached."""
    return frozenset(source for source, targets in TRANSITIONS.items() if target in targets)
