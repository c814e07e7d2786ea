"""Documents in JSON."""

from __future__ import annotations

from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency

from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceStatus
from billing.receipts.document import ReceiptDocument
from billing.receipts.labels import TAX_ID_NAMES


class IssuerOut(ResponseModel):
    """tax_id_name: how the country calls it, such as RFC."""

    name: str
    legal_name: str
    tax_id: str
    tax_id_name: str


class FiscalData(ResponseModel):
    """document_type RECEIPT: proof of a sale to the buyer, not a document of a tax authority."""

    document_type: str = "RECEIPT"
    series: str
    number: int
    issuer: IssuerOut


class CustomerOut(ResponseModel):
    name: str | None
    tax_id: str | None


class Totals(ResponseModel):
    """Tax-inclusive decimal strings; `tax` is contained in `total`."""

    subtotal: str
    discount: str
    tax: str
    total: str
    currency: Currency


class InvoiceOut(ResponseModel):
    """fiscal_data and customer are null until the document's content has been gathered, pdf_url until it is issued."""

    id: UUID
    business_id: UUID
    branch_id: UUID
    sale_id: UUID
    invoice_number: str
    status: InvoiceStatus
    fiscal_data: FiscalData | None
    pdf_url: str | None
    xml_url: str | None
    customer: CustomerOut | None
    totals: Totals
    failure_reason: str | None
    created_at: UtcDatetime
    issued_at: UtcDatetime | None
    canceled_at: UtcDatetime | None


def invoice_out(invoice: Invoice, document: ReceiptDocument | None, public_url: str) -> InvoiceOut:
    return InvoiceOut(
        id=invoice.id,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.sale_id,
        invoice_number=invoice.invoice_number,
        status=InvoiceStatus(invoice.status),
        fiscal_data=_fiscal_data(invoice, document) if document else None,
        pdf_url=pdf_url(invoice, public_url),
        xml_url=None,
        customer=_customer(document) if document else None,
        totals=Totals(
            subtotal=str(invoice.money(invoice.subtotal)),
            discount=str(invoice.money(invoice.discount)),
            tax=str(invoice.money(invoice.tax)),
            total=str(invoice.money(invoice.total)),
            currency=Currency(invoice.currency),
        ),
        failure_reason=invoice.failure_reason,
        created_at=invoice.created_at,
        issued_at=invoice.issued_at,
        canceled_at=None,
    )


def pdf_url(invoice: Invoice, public_url: str) -> str | None:
    if invoice.status != InvoiceStatus.ISSUED:
        return None
    return f"{public_url.rstrip('/')}/api/v1/invoices/{invoice.id}/pdf"


def _fiscal_data(invoice: Invoice, document: ReceiptDocument) -> FiscalData:
    issuer = document.issuer
    return FiscalData(
        series=invoice.series,
        number=invoice.number,
        issuer=IssuerOut(
            name=issuer.name,
            legal_name=issuer.legal_name,
            tax_id=issuer.tax_id,
            tax_id_name=TAX_ID_NAMES[document.country.value],
        ),
    )


def _customer(document: ReceiptDocument) -> CustomerOut | None:
    buyer = document.buyer
    return CustomerOut(name=buyer.name or None, tax_id=buyer.tax_id or None) if buyer else None
