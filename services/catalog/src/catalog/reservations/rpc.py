"""gRPC: contracts.catalog.v1.Inventory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.rpc.server import RpcService
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from kernel import InvalidInput

from catalog.context import CatalogContext
from catalog.reservations import service
from catalog.reservations.order import Order, merged
from catalog.reservations.service import Held

_MAX_LINES = 500
_MAX_QUANTITY = 2**31 - 1
_MAX_REASON = 200
# Far beyond any payment's term; without a bound, goods held by mistake would never come back.
_MAX_HOLD = timedelta(days=60)


class InventoryServicer(inventory_pb2_grpc.InventoryServicer):
    def __init__(self, ctx: CatalogContext) -> None:
        self._ctx = ctx

    async def Reserve(self, request: inventory_pb2.ReserveRequest, _: object) -> inventory_pb2.Reservation:
        return _message(await service.reserve(self._ctx, _order(request, self._ctx.clock.now())))

    async def Commit(self, request: inventory_pb2.CommitRequest, _: object) -> inventory_pb2.Reservation:
        business_id, sale_id = _uuid("business_id", request.business_id), _uuid("sale_id", request.sale_id)
        return _message(await service.commit(self._ctx, business_id, sale_id))

    async def Release(self, request: inventory_pb2.ReleaseRequest, _: object) -> inventory_pb2.Reservation:
        business_id, sale_id = _uuid("business_id", request.business_id), _uuid("sale_id", request.sale_id)
        reason = request.reason.replace("\x00", "")[:_MAX_REASON]
        return _message(await service.release(self._ctx, business_id, sale_id, reason))


def inventory_rpc(ctx: CatalogContext) -> RpcService:
    return RpcService(
        inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].full_name,
        inventory_pb2_grpc.add_InventoryServicer_to_server,
        InventoryServicer(ctx),
    )


def _order(request: inventory_pb2.ReserveRequest, now: datetime) -> Order:
    if not 1 <= len(request.lines) <= _MAX_LINES:
        raise InvalidInput.field("lines", f"must be 1 to {_MAX_LINES}")
    if any(line.quantity < 1 for line in request.lines):
        raise InvalidInput.field("lines", "quantities must be positive")
    lines = merged((_uuid("product_id", line.product_id), line.quantity) for line in request.lines)
    if max(lines.values()) > _MAX_QUANTITY:
        raise InvalidInput.field("lines", f"a product's quantity is at most {_MAX_QUANTITY}")
    return Order(
        business_id=_uuid("business_id", request.business_id),
        branch_id=_uuid("branch_id", request.branch_id),
        sale_id=_uuid("sale_id", request.sale_id),
        lines=lines,
        expires_at=_expiry(request.expires_at_ms, now),
        revive=request.revive,
    )


def _expiry(milliseconds: int, now: datetime) -> datetime:
    # Compared as numbers first: not every int64 is a date. One that is past is the use case's to judge.
    if not 0 < milliseconds / 1000 <= now.timestamp() + _MAX_HOLD.total_seconds():
        raise InvalidInput.field("expires_at_ms", f"must be Unix milliseconds, at most {_MAX_HOLD.days} days ahead")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _uuid(field: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput.field(field, "must be a UUID") from None


def _message(held: Held) -> inventory_pb2.Reservation:
    return inventory_pb2.Reservation(
        sale_id=str(held.sale_id),
        status=held.status.value,
        lines=[
            inventory_pb2.PricedLine(
                product_id=str(line.product_id),
                name=line.name,
                sku=line.sku or "",
                quantity=line.quantity,
                unit_price_minor=line.unit_price.minor,
                currency=line.unit_price.currency.value,
                tax_rate=f"{line.tax_rate.normalize():f}",
            )
            for line in held.lines
        ],
    )
