"""What kind of news a message is: what readers switch off, and what nobody can."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notifications.messages.templates import Template


class EventClass(StrEnum):
    """RECEIPTS are a buyer's; PAYMENTS to REPORTS a merchant's; ACCOUNT and SECURITY a user's own."""

    SECURITY = "SECURITY"
    ACCOUNT = "ACCOUNT"
    RECEIPTS = "RECEIPTS"
    PAYMENTS = "PAYMENTS"
    CASH = "CASH"
    INVOICES = "INVOICES"
    STOCK = "STOCK"
    SYSTEM = "SYSTEM"
    REPORTS = "REPORTS"

    @property
    def mandatory(self) -> bool:
        """Whoever took an account over must not be able to silence what would give them away."""
        return self is EventClass.SECURITY


_CLASSES: Final[Mapping[Template, EventClass]] = MappingProxyType(
    {
        Template.RECEIPT: EventClass.RECEIPTS,
        Template.PAYMENT_INCOMPLETE: EventClass.RECEIPTS,
        Template.PAYMENT_REFUNDED: EventClass.RECEIPTS,
        Template.SALE_REFUNDED: EventClass.RECEIPTS,
        Template.PAYMENT_RECEIVED: EventClass.PAYMENTS,
        Template.CASH_DIFFERENCE: EventClass.CASH,
        Template.INVOICE_FAILED: EventClass.INVOICES,
        Template.STOCK_LOW: EventClass.STOCK,
        Template.WEBHOOK_DISABLED: EventClass.SYSTEM,
        Template.WEEKLY_SUMMARY: EventClass.REPORTS,
        Template.VERIFICATION: EventClass.SECURITY,
        Template.PASSWORD_RESET: EventClass.SECURITY,
        Template.PASSWORD_CHANGED: EventClass.SECURITY,
        Template.WELCOME: EventClass.ACCOUNT,
        Template.KYC_APPROVED: EventClass.ACCOUNT,
        Template.KYC_REJECTED: EventClass.ACCOUNT,
        Template.MEMBER_ADDED: EventClass.ACCOUNT,
    }
)


def class_of(template: Template) -> EventClass:
    return _CLASSES[template]
