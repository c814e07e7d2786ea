"""REST: /invoices."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from chassis.localization import Language
from chassis.pdf.response import pdf_response
from chassis.pdf.thread import Format
from fastapi import APIRouter, Query
from starlette.responses import Response

from billing.context import BillingContext
from billing.invoices import service
from billing.invoices.models import Invoice
from billing.invoices.schemas import InvoiceOut, invoice_out
from billing.invoices.status import InvoiceStatus

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
    caller: Caller,
    ctx: Ctx,
    lang: Language = Language.ES,
    layout: Annotated[Format, Query(alias="format")] = Format.A4,
) -> Response:
    """404 `receipt_not_ready` with Retry-After until the document is issued."""
    invoice = await service.get(ctx, caller, invoice_id)
    return pdf_response(await service.pdf_of(ctx, invoice, layout, lang), invoice.invoice_number)


@router.post("/{invoice_id}/retry", response_model=Data[InvoiceOut])
async def retry_invoice(invoice_id: UUID, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """Try again to issue a document that failed, or that waits for its next try. 409 once it is issued."""
    await service.check_retry(ctx, caller, invoice_id)

    async def work(unit: UnitOfWork) -> Data[InvoiceOut]:
        return Data(data=_present(ctx, await service.retry(ctx, unit, invoice_id)))

    answer = await ctx.idempotency.run(key, work, status=200)
    ctx.issuer.wake()
    return answer_response(answer)


def _present(ctx: BillingContext, invoice: Invoice) -> InvoiceOut:
    document = ctx.receipts.open(invoice.content, invoice.content_place) if invoice.content else None
    return invoice_out(invoice, document, ctx.public_url)
