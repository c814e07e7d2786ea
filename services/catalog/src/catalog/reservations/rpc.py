"""gRPC: contracts.catalog.v1.Inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.rpc.server import RpcService
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from kernel import InvalidInput

from catalog.context import CatalogContext
from catalog.reservations import service
from catalog.reservations.order import GoodsBack, Order, merged
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

    async def Return(self, request: inventory_pb2.ReturnRequest, _: object) -> inventory_pb2.ReturnResponse:
        back = GoodsBack(
            business_id=_uuid("business_id", request.business_id),
            sale_id=_uuid("sale_id", request.sale_id),
            return_id=_uuid("return_id", request.return_id),
            lines=_lines(request.lines),
        )
        await service.take_back(self._ctx, back)
        return inventory_pb2.ReturnResponse(return_id=str(back.return_id))


def inventory_rpc(ctx: CatalogContext) -> RpcService:
    return RpcService(
        inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].full_name,
        inventory_pb2_grpc.add_InventoryServicer_to_server,
        InventoryServicer(ctx),
    )


def _lines(asked: Sequence[inventory_pb2.ReserveLine]) -> Mapping[UUID, int]:
    if not 1 <= len(asked) <= _MAX_LINES:
        raise InvalidInput.field("lines", f"must be 1 to {_MAX_LINES}")
    if any(line.quantity < 1 for line in asked):
        raise InvalidInput.field("lines", "quantities must be positive")
    lines = merged((_uuid("product_id", line.product_id), line.quantity) for line in asked)
    if max(lines.values()) > _MAX_QUANTITY:
        raise InvalidInput.field("lines", f"a product's quantity is at most {_MAX_QUANTITY}")
    return lines


def _order(request: inventory_pb2.ReserveRequest, now: datetime) -> Order:
    return Order(
        business_id=_uuid("business_id", request.business_id),
        branch_id=_uuid("branch_id", request.branch_id),
        sale_id=_uuid("sale_id", request.sale_id),
        lines=_lines(request.lines),
        expires_at=_moment("expires_at_ms", request.expires_at_ms, now),
        revive=request.revive,
        already_sold=request.already_sold,
        priced_at=_moment("priced_at_ms", request.priced_at_ms, now) if request.priced_at_ms else None,
    )


def _moment(field: str, milliseconds: int, now: datetime) -> datetime:
    # Compared as numbers first: not every int64 is a date. One that is past is the use case's to judge.
    if not 0 < milliseconds / 1000 <= now.timestamp() + _MAX_HOLD.total_seconds():
        raise InvalidInput.field(field, f"must be Unix milliseconds, at most {_MAX_HOLD.days} days ahead")
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
