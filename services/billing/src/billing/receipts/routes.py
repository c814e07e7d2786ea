"""GET /receipts/:saleId, for the buyer with the link's key and for the merchant with a token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import context_of
from chassis.localization import Language
from chassis.pdf.response import pdf_response
from chassis.pdf.thread import Format
from chassis.tenancy import everyone
from fastapi import APIRouter, Query
from starlette.responses import Response

from billing.context import BillingContext
from billing.invoices import service
from billing.invoices.errors import invoice_not_found
from billing.receipts.access import Holder

router = APIRouter(prefix="/api/v1/receipts", tags=["receipts"])

Ctx = Annotated[BillingContext, context_of(BillingContext)]


@router.get(
    "/{sale_id}",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The receipt"}},
)
async def get_receipt(
    sale_id: UUID,
    ctx: Ctx,
    holder: Holder,
    lang: Language = Language.ES,
    layout: Annotated[Format, Query(alias="format")] = Format.TICKET,
) -> Response:
    """The receipt of a sale as PDF. 404 `receipt_not_ready` with Retry-After in the moments after the sale."""
    if isinstance(holder, str):
        if not ctx.links.opens(sale_id, holder):
            raise invoice_not_found()
        # The key is the right to this one receipt, and does not say whose it is.
        with everyone():
            invoice = await service.get_of_sale(ctx, sale_id)
    else:
        invoice = await service.get_of_sale_for(ctx, holder, sale_id)
    return pdf_response(await service.pdf_of(ctx, invoice, layout, lang), invoice.invoice_number)
