"""REST: /invoices."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from chassis.localization import Language
from chassis.pdf.response import pdf_response
from chassis.pdf.thread import Format
from chassis.tenancy import everyone
from fastapi import APIRouter, Query
from starlette.responses import Response

from billing.context import BillingContext
from billing.invoices import service
from billing.invoices.errors import invoice_not_found
from billing.invoices.links import File
from billing.invoices.models import Invoice
from billing.invoices.schemas import InvoiceCancel, InvoiceCreate, InvoiceOut, invoice_out
from billing.invoices.status import InvoiceStatus
from billing.receipts.access import Holder
from billing.receipts.service import XML_CONTENT_TYPE

router = APIRouter(prefix="/api/v1/invoices", tags=["invoices"])

Ctx = Annotated[BillingContext, context_of(BillingContext)]


@router.get("")
async def list_invoices(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    sale_id: Annotated[UUID | None, Query(alias="saleId")] = None,
    status: InvoiceStatus | None = None,
) -> Page[InvoiceOut]:
    """Newest first, of the caller's businesses; an employee sees those of their branches."""
    found = await service.list_invoices(ctx, caller, paging, business_id=business_id, sale_id=sale_id, status=status)
    return as_page(found, lambda row: _present(ctx, row.Invoice))


@router.get("/{invoice_id}")
async def get_invoice(invoice_id: UUID, caller: Caller, ctx: Ctx) -> Data[InvoiceOut]:
    return Data(data=_present(ctx, await service.get(ctx, caller, invoice_id)))


@router.get(
    "/{invoice_id}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The document"}},
)
async def get_invoice_pdf(
    invoice_id: UUID,
    ctx: Ctx,
    holder: Holder,
    lang: Language = Language.ES,
    layout: Annotated[Format, Query(alias="format")] = Format.A4,
) -> Response:
    """404 `receipt_not_ready` with Retry-After until the document is issued."""
    invoice = await _opened(ctx, invoice_id, "pdf", holder)
    return pdf_response(await service.pdf_of(ctx, invoice, layout, lang), invoice.invoice_number)


@router.get(
    "/{invoice_id}/xml",
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}, "description": "The document as its authority has it"}},
)
async def get_invoice_xml(invoice_id: UUID, ctx: Ctx, holder: Holder) -> Response:
    """404 `xml_not_ready` with Retry-After until the document is issued; 422 `not_a_fiscal_document` of a receipt."""
    invoice = await _opened(ctx, invoice_id, "xml", holder)
    content = await service.xml_of(ctx, invoice)
    return Response(
        content,
        media_type=XML_CONTENT_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{invoice.id}.xml"',
            "Cache-Control": "private, max-age=3600",
            "ETag": f'"{invoice.xml_sha256}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.post("", status_code=201, response_model=Data[InvoiceOut])
async def create_invoice(caller: Caller, ctx: Ctx, key: IdempotencyKey, body: InvoiceCreate) -> Response:
    """An invoice to a buyer who is named, of a completed sale. It is PENDING, and ISSUED once its authority accepts it.
    409 `sale_already_invoiced`, 422 `fiscal_profile_missing`."""
    of_sale = await service.sale_to_invoice(ctx, caller, body.sale_id)

    async def work(unit: UnitOfWork) -> Data[InvoiceOut]:
        return Data(data=_present(ctx, await service.request_invoice(ctx, unit, of_sale, body.customer.receiver())))

    answer = await ctx.idempotency.run(key, work)
    ctx.transmitter.wake()
    return answer_response(answer)


@router.post("/{invoice_id}/cancel", status_code=202, response_model=Data[InvoiceOut])
async def cancel_invoice(
    invoice_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey, body: InvoiceCancel
) -> Response:
    """The owner's. CANCELED once the authority, and in Mexico the buyer, has agreed; where nobody cancels, once a
    credit note over all of it is accepted. 409 `invoice_not_cancelable`, `invoice_already_credited`."""
    await service.check_cancel(ctx, caller, invoice_id)

    async def work(unit: UnitOfWork) -> Data[InvoiceOut]:
        canceling = await service.cancel(ctx, unit, invoice_id, body.motive, body.substitution)
        return Data(data=_present(ctx, canceling))

    answer = await ctx.idempotency.run(key, work, status=202)
    ctx.transmitter.wake()
    return answer_response(answer)


@router.post("/{invoice_id}/retry", response_model=Data[InvoiceOut])
async def retry_invoice(invoice_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """Try again to issue a document that failed, or that waits for its next try. 409 once it is issued."""
    await service.check_retry(ctx, caller, invoice_id)

    async def work(unit: UnitOfWork) -> Data[InvoiceOut]:
        return Data(data=_present(ctx, await service.retry(ctx, unit, invoice_id)))

    answer = await ctx.idempotency.run(key, work, status=200)
    ctx.issuer.wake()
    ctx.transmitter.wake()
    return answer_response(answer)


async def _opened(ctx: BillingContext, invoice_id: UUID, file: File, holder: Principal | str) -> Invoice:
    if not isinstance(holder, str):
        return await service.get(ctx, holder, invoice_id)
    if not ctx.files.opens(invoice_id, file, holder):
        raise invoice_not_found()
    # The key is the right to this one document, and does not say whose it is.
    with everyone():
        return await service.get_by_link(ctx, invoice_id)


def _present(ctx: BillingContext, invoice: Invoice) -> InvoiceOut:
    document = ctx.receipts.open(invoice.content, invoice.content_place) if invoice.content else None
    return invoice_out(invoice, document, ctx.papers.answer(invoice), ctx.files)
