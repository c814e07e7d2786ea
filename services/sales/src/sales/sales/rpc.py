"""gRPC Sales: a sale with what a receipt, an invoice or a message needs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.rpc.server import RpcService
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc

from sales.context import SalesContext
from sales.sales import errors, events, presentation, service
from sales.sales.models import Sale, SaleItem

_CUSTOMER = {"name", "phone", "email", "tax_id"}


class SalesServicer(sales_pb2_grpc.SalesServicer):
    def __init__(self, ctx: SalesContext) -> None:
        self._ctx = ctx

    async def GetSale(self, request: sales_pb2.GetSaleRequest, _: Any) -> sales_pb2.Sale:
        try:
            business_id, sale_id = UUID(request.business_id), UUID(request.sale_id)
        except ValueError:
            raise errors.sale_not_found() from None
        sale = await service.get_of_business(self._ctx, business_id, sale_id)
        return self._message(sale)

    def _message(self, sale: Sale) -> sales_pb2.Sale:
        customer = presentation.open_customer(self._ctx.cipher, sale)
        return sales_pb2.Sale(
            id=str(sale.id),
            business_id=str(sale.business_id),
            branch_id=str(sale.branch_id),
            status=sale.status,
            currency=sale.currency,
            subtotal_minor=_minor(sale, sale.subtotal),
            tax_minor=_minor(sale, sale.tax),
            discount_minor=_minor(sale, sale.discount),
            total_minor=_minor(sale, sale.total),
            payment_method=sale.payment_method,
            transaction_id=str(sale.transaction_id) if sale.transaction_id else "",
            created_at_ms=_millis(sale.created_at),
            completed_at_ms=_millis(sale.completed_at),
            lines=[_line(sale, item) for item in sale.items],
            customer=sales_pb2.Customer(**customer.model_dump(include=_CUSTOMER, exclude_none=True))
            if customer
            else None,
            notes=sale.notes or "",
            parts=[
                sales_pb2.Part(method=method, amount_minor=amount.minor, payment_id=str(payment_id or ""))
                for method, amount, payment_id in events.parts(sale)
            ],
            tendered_minor=_minor(sale, sale.tendered or Decimal(0)),
            change_minor=_minor(sale, sale.change or Decimal(0)),
            refunded_minor=_minor(sale, sale.refunded_amount),
            sold_at_ms=_millis(sale.sold_at or sale.completed_at),
            rounding_minor=_minor(sale, sale.rounding),
        )


def rpc_service(ctx: SalesContext) -> RpcService:
    return RpcService(
        sales_pb2.DESCRIPTOR.services_by_name["Sales"].full_name,
        sales_pb2_grpc.add_SalesServicer_to_server,
        SalesServicer(ctx),
    )


def _line(sale: Sale, item: SaleItem) -> sales_pb2.SaleLine:
    return sales_pb2.SaleLine(
        product_id=str(item.product_id),
        name=item.name,
        sku=item.sku or "",
        quantity=item.quantity,
        unit_price_minor=_minor(sale, item.unit_price),
        discount_minor=_minor(sale, item.discount),
        tax_rate=f"{item.tax_rate.normalize():f}",
        tax_minor=_minor(sale, item.tax),
        total_minor=_minor(sale, item.total),
    )


def _minor(sale: Sale, amount: Decimal) -> int:
    return sale.money(amount).minor


def _millis(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1000) if moment else 0
