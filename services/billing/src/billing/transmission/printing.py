"""The printed form of a fiscal document. Pure."""

from __future__ import annotations

from decimal import Decimal

from contracts.auth.v1 import directory_pb2
from fiscal.document import FiscalDocument
from fiscal.profile import IssuerProfile
from fiscal.provider import Printed

from billing.invoices.models import Invoice
from billing.receipts.document import Buyer, FiscalPrint, Issuer, Line, ReceiptDocument


def printed_form(
    invoice: Invoice,
    document: FiscalDocument,
    issuer: IssuerProfile,
    business: directory_pb2.Business,
    printed: Printed,
    *,
    branch: str,
    payment_method: str,
    link: str,
) -> ReceiptDocument:
    """Quantities that are no whole numbers are printed as one of what they cost together."""
    address, receiver = issuer.address, document.receiver
    return ReceiptDocument(
        number=invoice.invoice_number,
        sale_id=invoice.for_sale_id or invoice.id,
        country=document.country,
        currency=document.currency,
        time_zone=document.time_zone,
        sold_at=document.issued_at,
        payment_method=payment_method,
        issuer=Issuer(
            name=issuer.trade_name or business.name or issuer.legal_name,
            legal_name=issuer.legal_name,
            tax_id=issuer.tax_id,
            address=address.street or business.address,
            city=address.city or business.city,
            state=address.state or business.state,
            postal_code=address.postal_code or business.postal_code,
            phone=business.phone,
        ),
        branch=branch,
        buyer=Buyer(name=receiver.name, tax_id=receiver.tax_id) if receiver else None,
        lines=tuple(_lines(document)),
        tax=document.tax.minor,
        total=document.total.minor,
        link=link,
        fiscal=FiscalPrint(
            title=printed.title,
            mark=printed.mark,
            facts=printed.facts,
            code_kind=printed.code.kind.value if printed.code else "",
            code=printed.code.content if printed.code else None,
            texts=printed.texts,
            chains=printed.chains,
            taxes=tuple((rate, amount.minor) for rate, amount in printed.taxes),
            frame=printed.frame,
            below_frame=printed.below_frame,
            caption=printed.caption,
        ),
    )


def _lines(document: FiscalDocument) -> list[Line]:
    lines = []
    for line in document.lines:
        whole = line.quantity == line.quantity.to_integral_value()
        lines.append(
            Line(
                name=line.description,
                sku=line.sku,
                quantity=int(line.quantity) if whole else 1,
                unit_price=line.unit_price.minor if whole else (line.gross + line.discount).minor,
                tax_rate=line.taxes[0].rate if line.taxes else Decimal(0),
                tax=line.tax.minor,
                total=line.gross.minor,
            )
        )
    return lines
