"""Every table of this service, for what needs to know them all: migrations, re-encryption."""

from sales.base import Base
from sales.cash_registers.models import CashRegister
from sales.cash_sessions.models import CashEntry, CashSession, CashTotal
from sales.devices.models import Device
from sales.refunds.models import Refund, RefundItem
from sales.sales.models import Sale, SaleItem

__all__ = [
    "Base",
    "CashEntry",
    "CashRegister",
    "CashSession",
    "CashTotal",
    "Device",
    "Refund",
    "RefundItem",
    "Sale",
    "SaleItem",
]
