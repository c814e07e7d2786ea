"""Gathering what is printed from what the other services know."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

from contracts.auth.v1 import directory_pb2
from contracts.sales.v1 import sales_pb2
from kernel import Country, Currency

from billing.invoices.models import Invoice
from billing.receipts.document import Buyer, Issuer, Line, ReceiptDocument


def compose(
    invoice: Invoice, sale: sales_pb2.Sale, business: directory_pb2.Business, *, branch: str, link: str
) -> ReceiptDocument:
    """The document of a sale. Its total is the one that was numbered; of the buyer it takes what a receipt shows."""
    customer = sale.customer
    buyer = Buyer(name=customer.name, tax_id=customer.tax_id) if customer.name or customer.tax_id else None
    return ReceiptDocument(
        number=invoice.invoice_number,
        sale_id=UUID(sale.id),
        country=Country(business.country),
        currency=Currency(invoice.currency),
        time_zone=invoice.time_zone,
        sold_at=invoice.sold_at,
        payment_method=sale.payment_method,
        issuer=Issuer(
            name=business.name,
            legal_name=business.legal_name,
            tax_id=business.tax_id,
            address=business.address,
            city=business.city,
            state=business.state,
            postal_code=business.postal_code,
            phone=business.phone,
        ),
        branch=branch,
        buyer=buyer,
        lines=tuple(
            Line(
                name=line.name,
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price_minor,
                tax_rate=_rate(line.tax_rate),
                tax=line.tax_minor,
                total=line.total_minor,
            )
            for line in sale.lines
        ),
        tax=invoice.money(invoice.tax).minor,
        total=invoice.money(invoice.total).minor,
        link=link,
    )


def _rate(text: str) -> Decimal:
    try:
        rate = Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)
    return rate if rate.is_finite() else Decimal(0)
