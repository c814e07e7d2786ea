"""Refunds of sales, and the credit notes that take back what was documented of them."""
