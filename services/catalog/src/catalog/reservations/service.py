"""The use cases of reservations: hold, sell, put back, take back. Each is idempotent by the sale's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from kernel import Conflict, Money
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from catalog.configuration import repository as configuration
from catalog.context import CatalogContext
from catalog.reservations import errors, repository
from catalog.reservations.order import GoodsBack, Order
from catalog.reservations.status import ReservationStatus, effective
from catalog.stock.errors import insufficient_stock
from catalog.stock.events import ChangedLevel, events_of
from catalog.stock.models import RETURN_KEY
from catalog.stock.movement import MovementType

log = get_logger(__name__)

# How often a use case looks again when another call for the same sale moved the reservation between two statements.
_ATTEMPTS = 5
_BATCH = 200
_SOLD_UNSEEN = "Vendido sin existencias registradas (venta {sale})"


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What is held or sold, at the price of the moment it was reserved; unit_price is tax-inclusive."""

    product_id: UUID
    name: str
    sku: str | None
    quantity: int
    unit_price: Money
    tax_rate: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    sale_id: UUID
    status: ReservationStatus
    lines: tuple[PricedLine, ...]


async def reserve(ctx: CatalogContext, order: Order) -> Held:
    """Price the lines and hold the goods until order.expires_at: all lines or none, in one statement.

    Asked again for the same sale, the same answer, held for longer if asked. Raises NotFound (product_not_found),
    RuleViolation (insufficient_stock; reservation_released, also when it arrives after expires_at), Conflict
    (reservation_mismatch: other goods under this sale).
    """
    held = None if order.already_sold else await ctx.database.retry(lambda: _reserve_from_stock(ctx, order))
    return held or await _reserve_covered(ctx, order)


async def _reserve_from_stock(ctx: CatalogContext, order: Order) -> Held | None:
    """None where the goods never lay in the branch, which it takes more than a statement to change."""
    unseen = 0
    async with ctx.database.autocommit() as connection:
        for _ in range(_ATTEMPTS):
            now = ctx.clock.now()
            timely = order.expires_at > now
            found = await repository.reserve(connection, order, now) if timely else []
            if found and found[0].claimed:
                return _held(order.sale_id, ReservationStatus.RESERVED, found)
            existing = await repository.find(connection, order.sale_id)
            if existing:
                held = await _reserve_again(connection, order, existing, now)
                if held is not None:
                    return held
            elif not timely:
                raise errors.reservation_released()
            elif await _may_go_below(ctx, order, found):
                return None
            else:
                _refuse(found)
                unseen += 1
    # A reservation that is there and is never seen is another business's.
    raise errors.reservation_mismatch() if unseen == _ATTEMPTS else errors.reservation_busy()


async def _may_go_below(ctx: CatalogContext, order: Order, found: Sequence[Row[Any]]) -> bool:
    """Whether all that was wanting is levels, in a business that sells what it does not have."""
    if any(row.name is None for row in found) or all(row.stocked for row in found):
        return False
    async with ctx.database.read() as session:
        return await configuration.allows_negative(session, order.business_id)


async def _reserve_covered(ctx: CatalogContext, order: Order) -> Held:
    """Reserve with every level there and, for goods that have left already, what is missing entered first: one
    transaction. Raises as `reserve`."""

    async def work(unit: UnitOfWork) -> Held:
        session, now = unit.session, unit.clock.now()
        await repository.lock(session, order.sale_id)
        existing = await repository.find(session, order.sale_id)
        if existing:
            if order.already_sold and order.revive and _status(existing, now) is ReservationStatus.RELEASED:
                await _cover(unit, order, now)
            held = await _reserve_again(session, order, existing, now)
            if held is None:
                raise errors.reservation_busy()
            return held
        if order.expires_at <= now:
            raise errors.reservation_released()
        await _cover(unit, order, now)
        found = await repository.reserve(session, order, now)
        if found[0].claimed:
            return _held(order.sale_id, ReservationStatus.RESERVED, found)
        if not await repository.find(session, order.sale_id):
            _refuse(found)
        # Another call for the same sale was first. What was entered here is undone.
        raise errors.reservation_busy()

    for _ in range(_ATTEMPTS):
        try:
            return await ctx.database.run(work)
        except Conflict as error:
            if error.code != errors.BUSY:
                raise
    # A reservation that is there and is never seen is another business's.
    raise errors.reservation_mismatch()


async def _cover(unit: UnitOfWork, order: Order, now: datetime) -> None:
    await repository.open_levels(unit.session, order)
    if not order.already_sold:
        return
    reason = _SOLD_UNSEEN.format(sale=order.sale_id)
    for row in await repository.cover(unit.session, order, reason, now):
        unit.publish(*events_of(_level(row, row.change), MovementType.ADJUSTMENT))


async def commit(ctx: CatalogContext, business_id: UUID, sale_id: UUID) -> Held:
    """The goods are sold: movements, levels and events in one transaction.

    Raises NotFound (reservation_not_found), RuleViolation (reservation_released, which an expired one counts as).
    """

    async def work(unit: UnitOfWork) -> Held:
        now = unit.clock.now()
        sold = await repository.commit(unit.session, business_id, sale_id, now)
        if sold:
            for row in sold:
                unit.publish(*events_of(_level(row, -row.quantity), MovementType.SALE, sale_id=sale_id))
            return _held(sale_id, ReservationStatus.COMMITTED, sold)
        existing = _of_business(await repository.find(unit.session, sale_id), business_id)
        if _status(existing, now) is ReservationStatus.COMMITTED:
            return _held(sale_id, ReservationStatus.COMMITTED, existing)
        raise errors.reservation_released()

    return await ctx.database.run(work)


async def release(ctx: CatalogContext, business_id: UUID, sale_id: UUID, reason: str) -> Held:
    """The goods go back. A sale that never reserved gets a tombstone, which refuses a Reserve that is still on its way.

    Raises RuleViolation (reservation_committed), NotFound (another business's).
    """
    return await ctx.database.retry(lambda: _release(ctx, business_id, sale_id, reason))


async def take_back(ctx: CatalogContext, back: GoodsBack) -> None:
    """Goods of a sold sale lie in the branch again that they left: movements, levels and events in one transaction.

    The same return again changes nothing. Raises RuleViolation (not_sold, return_exceeds_sale), Conflict
    (return_mismatch: other goods under this id).
    """

    async def work(unit: UnitOfWork) -> None:
        session, now = unit.session, unit.clock.now()
        await repository.lock(session, back.sale_id)
        earlier = await repository.returned(session, back.business_id, back.return_id)
        if earlier:
            same = {(row.sale_id, row.product_id, row.change) for row in earlier}
            if same != {(back.sale_id, product, quantity) for product, quantity in back.lines.items()}:
                raise errors.return_mismatch()
            return
        existing = await repository.find(session, back.sale_id)
        sold = existing and existing[0].business_id == back.business_id
        if not sold or existing[0].status != ReservationStatus.COMMITTED:
            raise errors.not_sold()
        left = await repository.returnable(session, back)
        beyond = [product for product, quantity in back.lines.items() if quantity > left.get(product, 0)]
        if beyond:
            raise errors.return_exceeds_sale(beyond)
        for row in await repository.take_back(session, back, now):
            unit.publish(*events_of(_level(row, row.change), MovementType.RETURN, sale_id=back.sale_id))

    try:
        await ctx.database.run(work)
    except IntegrityError as error:
        # The same id at the same instant for another sale: locks on two reservations do not keep them apart.
        cause = getattr(error.orig, "__cause__", None)
        if getattr(cause, "constraint_name", None) != RETURN_KEY:
            raise
        raise errors.return_mismatch() from None


async def _release(ctx: CatalogContext, business_id: UUID, sale_id: UUID, reason: str) -> Held:
    unseen = 0
    async with ctx.database.autocommit() as connection:
        for _ in range(_ATTEMPTS):
            now = ctx.clock.now()
            returned = await repository.release(connection, business_id, sale_id, reason, now)
            if returned:
                return _held(sale_id, ReservationStatus.RELEASED, returned)
            existing = await repository.find(connection, sale_id)
            if not existing:
                if await repository.bury(connection, business_id, sale_id, reason, now):
                    return Held(sale_id, ReservationStatus.RELEASED, ())
                unseen += 1
                continue
            _of_business(existing, business_id)
            match ReservationStatus(existing[0].status):
                case ReservationStatus.COMMITTED:
                    raise errors.reservation_committed()
                case ReservationStatus.RELEASED:
                    return _held(sale_id, ReservationStatus.RELEASED, existing)
                case ReservationStatus.RESERVED:
                    continue
    raise errors.reservation_not_found() if unseen == _ATTEMPTS else errors.reservation_busy()


async def release_expired(ctx: CatalogContext) -> int:
    """Put back what was neither paid nor cancelled in time; returns how many reservations that were."""

    async def work(unit: UnitOfWork) -> int:
        return await repository.release_expired(unit.session, unit.clock.now(), _BATCH)

    total = 0
    while True:
        released = await ctx.database.run(work)
        total += released
        if released < _BATCH:
            break
    if total:
        log.info("reservations.expired", count=total)
    return total


async def _reserve_again(
    connection: AsyncConnection | AsyncSession, order: Order, existing: Sequence[Row[Any]], now: datetime
) -> Held | None:
    """The answer for a sale that already has a reservation; None when it changed meanwhile."""
    first = existing[0]
    buried = first.product_id is None
    same_goods = {row.product_id: row.quantity for row in existing} == dict(order.lines)
    same_place = (first.business_id, first.branch_id) == (order.business_id, order.branch_id)
    if first.business_id != order.business_id or not (buried or (same_goods and same_place)):
        raise errors.reservation_mismatch()
    match _status(existing, now):
        case ReservationStatus.COMMITTED:
            return _held(order.sale_id, ReservationStatus.COMMITTED, existing)
        case ReservationStatus.RESERVED:
            extended = await repository.extend(connection, order, now)
            return _held(order.sale_id, ReservationStatus.RESERVED, existing) if extended else None
        case ReservationStatus.RELEASED:
            if buried or not order.revive or order.expires_at <= now:
                raise errors.reservation_released()
            return await _revive(connection, order, existing, now)


async def _revive(
    connection: AsyncConnection | AsyncSession, order: Order, existing: Sequence[Row[Any]], now: datetime
) -> Held | None:
    # Expired, but its goods are not back yet: holding on is enough.
    if await repository.extend(connection, order, now):
        return _held(order.sale_id, ReservationStatus.RESERVED, existing)
    locked = await repository.revive(connection, order, now)
    if not locked:
        return None
    if not locked[0].revived:
        raise insufficient_stock(_short(locked))
    return _held(order.sale_id, ReservationStatus.RESERVED, existing)


def _refuse(found: Sequence[Row[Any]]) -> None:
    """Raise for what stood in the way; nothing did when another call for the same sale was just being undone."""
    unknown = [row.product_id for row in found if row.name is None]
    if unknown:
        raise errors.products_not_found(unknown)
    short = _short(found)
    if short:
        raise insufficient_stock(short)


def _short(rows: Sequence[Row[Any]]) -> dict[UUID, int]:
    """What is available of each product that falls short."""
    return {row.product_id: row.available for row in rows if row.available < row.quantity and not row.allow_negative}


def _of_business(existing: Sequence[Row[Any]], business_id: UUID) -> Sequence[Row[Any]]:
    if not existing or existing[0].business_id != business_id:
        raise errors.reservation_not_found()
    return existing


def _status(existing: Sequence[Row[Any]], now: datetime) -> ReservationStatus:
    return effective(ReservationStatus(existing[0].status), existing[0].expires_at, now)


def _held(sale_id: UUID, status: ReservationStatus, rows: Sequence[Row[Any]]) -> Held:
    lines = tuple(
        PricedLine(
            row.product_id, row.name, row.sku, row.quantity, Money.of(row.unit_price, row.currency), row.tax_rate
        )
        for row in rows
        if row.product_id is not None
    )
    return Held(sale_id, status, lines)


def _level(row: Row[Any], change: int) -> ChangedLevel:
    return ChangedLevel(
        id=row.id,
        business_id=row.business_id,
        product_id=row.product_id,
        branch_id=row.branch_id,
        on_hand=row.on_hand,
        reserved=row.reserved,
        version=row.version,
        change=change,
        product_name=row.product_name,
        min_stock=row.min_stock,
    )
