"""Documents in JSON."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from fiscal.document import Receiver
from kernel import Currency
from pydantic import Field, StringConstraints

from billing.invoices.links import DocumentLinks
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus
from billing.receipts.document import ReceiptDocument
from billing.receipts.labels import TAX_ID_NAMES
from billing.transmission.answers import Answer


class IssuerOut(ResponseModel):
    """tax_id_name: how the country calls it, such as RFC."""

    name: str
    legal_name: str
    tax_id: str
    tax_id_name: str


class Said(ResponseModel):
    """An authority's own words."""

    code: str
    text: str


class FiscalData(ResponseModel):
    """document_type RECEIPT: proof of a sale to the buyer, not a document of a tax authority.

    Of a fiscal document also: authority_type, the authority's own code of the kind; fiscal_id (UUID, CUFE, CAE, folio);
    state, where it is on its way; messages, what the authority said; origin_id, the document that a credit note takes
    back. issuer is null until it is issued.
    """

    document_type: str = "RECEIPT"
    series: str | None
    number: int | None
    issuer: IssuerOut | None
    authority_type: str | None = None
    fiscal_id: str | None = None
    state: str | None = None
    messages: list[Said] = Field(default_factory=list)
    origin_id: UUID | None = None
    refund_id: UUID | None = None
    cancel_motive: str | None = None


_Printable = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Short = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class BuyerAddressIn(RequestModel):
    street: _Printable = ""
    district: _Printable = ""
    city: _Printable = ""
    city_code: _Short = ""
    state: _Printable = ""
    postal_code: _Short = ""
    country_code: _Short = ""


class BuyerIn(RequestModel):
    """tax_id_kind: the country's word (RFC; NIT, CC; CUIT, DNI; RUT), empty for its usual one. regime: its code of the
    buyer's tax status (régimen fiscal, condición frente al IVA). use: uso del CFDI, giro."""

    name: Text
    tax_id: Annotated[_Short, StringConstraints(min_length=1)]
    tax_id_kind: _Short = ""
    regime: _Short = ""
    use: _Short = ""
    email: _Printable = ""
    address: BuyerAddressIn = BuyerAddressIn()

    def receiver(self) -> Receiver:
        return Receiver.model_validate(self.model_dump())


class InvoiceCreate(RequestModel):
    """An invoice to a buyer who is named."""

    sale_id: UUID
    customer: BuyerIn


class InvoiceCancel(RequestModel):
    """motive: the country's code (Mexico 01 to 04, of which 01 names in `substitution` the fiscal id of what takes
    its place); any words where a credit note takes the document back."""

    motive: Annotated[Text, StringConstraints(max_length=100)]
    substitution: _Short | None = None


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
    sale_id: UUID | None
    kind: InvoiceKind
    invoice_number: str | None
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


def invoice_out(
    invoice: Invoice, document: ReceiptDocument | None, answer: Answer | None, links: DocumentLinks
) -> InvoiceOut:
    return InvoiceOut(
        id=invoice.id,
        business_id=invoice.business_id,
        branch_id=invoice.branch_id,
        sale_id=invoice.for_sale_id or invoice.sale_id,
        kind=InvoiceKind(invoice.kind),
        invoice_number=invoice.invoice_number or None,
        status=InvoiceStatus(invoice.status),
        fiscal_data=_fiscal_data(invoice, document, answer) if document or invoice.is_fiscal else None,
        pdf_url=links.url(invoice.id, "pdf") if invoice.issued_at is not None else None,
        xml_url=links.url(invoice.id, "xml") if invoice.xml_sha256 is not None else None,
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
        canceled_at=invoice.canceled_at,
    )


def _fiscal_data(invoice: Invoice, document: ReceiptDocument | None, answer: Answer | None) -> FiscalData:
    issuer = None
    if document is not None:
        issuer = IssuerOut(
            name=document.issuer.name,
            legal_name=document.issuer.legal_name,
            tax_id=document.issuer.tax_id,
            tax_id_name=TAX_ID_NAMES[document.country.value],
        )
    # Within billing a series also says of which environment it is.
    series = (invoice.series or "").rpartition(":")[2] or None
    return FiscalData(
        document_type=invoice.kind,
        series=series,
        number=invoice.number,
        issuer=issuer,
        authority_type=invoice.document_type,
        fiscal_id=invoice.fiscal_id,
        state=invoice.fiscal_state,
        messages=[Said(code=item.code, text=item.text) for item in answer.messages] if answer else [],
        origin_id=invoice.origin_id,
        refund_id=invoice.refund_id,
        cancel_motive=invoice.cancel_motive,
    )


def _customer(document: ReceiptDocument) -> CustomerOut | None:
    buyer = document.buyer
    return CustomerOut(name=buyer.name or None, tax_id=buyer.tax_id or None) if buyer else None
