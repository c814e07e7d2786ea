"""Every table of this service, for what needs to know them all: migrations, re-encryption."""

from sales.base import Base
from sales.sales.models import Sale, SaleItem

__all__ = ["Base", "Sale", "SaleItem"]
