"""gRPC Invoices: the document of a sale, for other services."""

from __future__ import annotations

from uuid import UUID

from chassis.rpc.server import RpcService
from contracts.billing.v1 import invoices_pb2, invoices_pb2_grpc
from kernel import InvalidInput

from billing.context import BillingContext
from billing.invoices import service


class InvoicesServicer(invoices_pb2_grpc.InvoicesServicer):
    def __init__(self, ctx: BillingContext) -> None:
        self._ctx = ctx

    async def GetInvoiceOfSale(self, request: invoices_pb2.GetInvoiceOfSaleRequest, _: object) -> invoices_pb2.Invoice:
        sale_id, business_id = _uuid(request.sale_id, "sale_id"), _uuid(request.business_id, "business_id")
        invoice = await service.get_of_sale(self._ctx, sale_id, business_id)
        return invoices_pb2.Invoice(
            id=str(invoice.id),
            business_id=str(invoice.business_id),
            sale_id=str(invoice.sale_id),
            invoice_number=invoice.invoice_number,
            status=invoice.status,
            pdf_url=self._ctx.files.url(invoice.id, "pdf") if invoice.issued_at is not None else "",
            issued_at_ms=int(invoice.issued_at.timestamp() * 1000) if invoice.issued_at else 0,
            receipt_url=self._ctx.links.url(sale_id),
        )


def rpc_services(ctx: BillingContext) -> list[RpcService]:
    return [
        RpcService(
            invoices_pb2.DESCRIPTOR.services_by_name["Invoices"].full_name,
            invoices_pb2_grpc.add_InvoicesServicer_to_server,
            InvoicesServicer(ctx),
        )
    ]


def _uuid(value: str, field: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput.field(field, "must be a UUID") from None
