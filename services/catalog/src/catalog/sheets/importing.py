"""A file becomes the catalogue: all of its rows or none, in one transaction with their stock and events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.directory import Business
from chassis.http.schemas import Data
from contracts.events.catalog import ProductCreated, ProductUpdated
from kernel import NotFound, new_id
from sqlalchemy.exc import IntegrityError

from catalog.context import CatalogContext
from catalog.products.cache import touch
from catalog.products.errors import branch_needed, taken
from catalog.products.events import event_from
from catalog.products.models import Product
from catalog.sheets import errors, repository
from catalog.sheets.columns import STOCK
from catalog.sheets.reading import Line, Problems, Sheet
from catalog.sheets.schemas import ImportOut
from catalog.stock.events import ChangedLevel, events_of
from catalog.stock.movement import MovementType

_BATCH: Final = 2_000
_REASON: Final = "Importación de archivo"
_FIELDS: Final = (
    "name",
    "sku",
    "barcode",
    "description",
    "category",
    "price",
    "cost",
    "tax_rate",
    "min_stock",
    "image_url",
    "is_active",
)
_NEEDED: Final = ("name", "price")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes. branch_id: None where the business has no branch, and so no stock."""

    business: Business
    branch_id: UUID | None


async def admit(ctx: CatalogContext, caller: Principal, business_id: UUID, branch_id: UUID | None) -> Target:
    """Before the file is read. Raises NotFound (business, branch_not_found), Forbidden."""
    await ctx.access.require(caller, business_id, Permission.MANAGE)
    business = await ctx.directory.business(business_id)
    try:
        branch = await ctx.directory.branch(business_id, branch_id)
    except NotFound:
        if branch_id is not None:
            raise
        return Target(business, None)
    return Target(business, branch.id)


async def import_products(
    ctx: CatalogContext, caller: Principal, scope: IdempotencyScope, target: Target, file: IO[bytes]
) -> Answer:
    """Rows are matched by id, then by sku; what matches none is new.

    Raises InvalidInput (invalid_header, invalid_rows, no_rows), TooLarge (too_many_rows), RuleViolation
    (branch_needed), Conflict (import_in_progress; sku_taken, barcode_taken by somebody else meanwhile).
    """

    async def work(unit: UnitOfWork) -> Data[ImportOut]:
        if not await repository.lock(unit.session, target.business.id):
            raise errors.import_in_progress()
        return Data(data=await _Import(unit, target, caller.user_id).run(file))

    try:
        return await ctx.idempotency.run(scope, work)
    except IntegrityError as error:
        conflict = taken(error)
        if conflict is None:
            raise
        raise conflict from None


@dataclass(slots=True)
class _Import:
    """One try at a file."""

    unit: UnitOfWork
    target: Target
    user_id: UUID
    problems: Problems = field(default_factory=Problems)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    # Line of each id, sku and barcode of the file, so that none is named twice.
    lines: dict[tuple[str, object], int] = field(default_factory=dict)
    # What lies in the branch, with the line that says so. Entered last and in product order, as sales lock levels.
    counts: dict[UUID, tuple[int, MovementType, int]] = field(default_factory=dict)

    async def run(self, file: IO[bytes]) -> ImportOut:
        sheet = await asyncio.to_thread(Sheet, file, self.target.business.currency, self.problems)
        try:
            while not self.problems.full:
                batch = await asyncio.to_thread(sheet.read, _BATCH)
                if batch is None:
                    break
                await self._take(batch)
        finally:
            sheet.detach()
        self.problems.raise_any()
        if not sheet.count:
            raise errors.no_rows()
        moved = await self._count()
        self.problems.raise_any()
        if self.created or self.updated:
            await touch(self.unit.session, self.target.business.id)
        return ImportOut(
            rows=sheet.count,
            created=self.created,
            updated=self.updated,
            unchanged=self.unchanged,
            stock_movements=moved,
        )

    async def _take(self, batch: Sequence[Line]) -> None:
        """Match the lines and, as long as the file is faultless, write them."""
        batch = [line for line in batch if self._is_first(line)]
        if not batch:
            return
        matches = _Matches(
            await repository.matching(
                self.unit.session,
                self.target.business.id,
                [line.id for line in batch if line.id],
                [line.values["sku"] for line in batch if line.values.get("sku")],
                [line.values["barcode"] for line in batch if line.values.get("barcode")],
            )
        )
        new, changed = [], []
        for line in batch:
            product = self._match(line, matches)
            if product is None:
                row = self._new(line)
                if row is not None:
                    new.append(row)
                    self._note_stock(line, row["id"], MovementType.IN)
                continue
            self._note_stock(line, product.id, MovementType.ADJUSTMENT)
            before = {name: getattr(product, name) for name in _FIELDS}
            after = before | dict(line.values)
            if after == before:
                self.unchanged += 1
            else:
                changed.append((product, {"id": product.id, **after}))
        if not self.problems.errors:
            await self._write(new, changed)

    def _is_first(self, line: Line) -> bool:
        """Whether no line before names the same product."""
        named = [("id", line.id), ("sku", line.values.get("sku")), ("barcode", line.values.get("barcode"))]
        for column, value in named:
            if value is None:
                continue
            first = self.lines.setdefault((column, value), line.number)
            if first != line.number:
                self.problems.add(line.number, column, f"is that of line {first}")
                return False
        return True

    def _match(self, line: Line, matches: _Matches) -> Product | None:
        """The product that a line is about; problems are noted."""
        sku, barcode = line.values.get("sku"), line.values.get("barcode")
        product = matches.by_id.get(line.id) if line.id else matches.by_sku.get(sku)
        if line.id and product is None:
            self.problems.add(line.number, "id", "is not that of a product of this business")
            return None
        if product is not None:
            first = self.lines.setdefault(("product", product.id), line.number)
            if first != line.number:
                self.problems.add(line.number, "", f"is about the same product as line {first}")
        for column, other in (("sku", matches.by_sku.get(sku)), ("barcode", matches.by_barcode.get(barcode))):
            if other is not None and other is not product:
                self.problems.add(line.number, column, "is that of another product")
        return product

    def _new(self, line: Line) -> Mapping[str, Any] | None:
        missing = [name for name in _NEEDED if name not in line.values]
        for name in missing:
            self.problems.add(line.number, name, "is needed for a new product")
        if missing:
            return None
        row = dict.fromkeys(_FIELDS) | {"min_stock": 0, "is_active": True, **line.values, "id": new_id()}
        if row["tax_rate"] is None:
            row["tax_rate"] = self.target.business.country.vat_rate
        return row

    def _note_stock(self, line: Line, product_id: UUID, kind: MovementType) -> None:
        if line.stock is None:
            return
        if self.target.branch_id is None:
            raise branch_needed()
        # A new product that has none needs no level.
        if line.stock != 0 or kind is MovementType.ADJUSTMENT:
            self.counts[product_id] = (line.stock, kind, line.number)

    async def _write(
        self, new: Sequence[Mapping[str, Any]], changed: Sequence[tuple[Product, Mapping[str, Any]]]
    ) -> None:
        unit, business, now = self.unit, self.target.business, self.unit.clock.now()
        if new:
            await repository.insert(unit.session, business.id, business.currency.value, new, now)
        if changed:
            await repository.update(unit.session, [row for _, row in changed], now)
        for row in new:
            unit.publish(event_from(ProductCreated, row, business.id, business.currency, 1))
        for product, row in changed:
            unit.publish(event_from(ProductUpdated, row, business.id, business.currency, product.version + 1))
        self.created += len(new)
        self.updated += len(changed)
        # Written at once: a hundred thousand events are not kept in memory, and neither are the products.
        await unit.finish()
        unit.session.expunge_all()

    async def _count(self) -> int:
        """Enter what the file says of stock; returns how many levels that changed."""
        ordered = sorted(self.counts)
        moved = 0
        for start in range(0, len(ordered), _BATCH):
            found = [(product, *self.counts[product][:2]) for product in ordered[start : start + _BATCH]]
            moved += await self._count_batch(found)
        return moved

    async def _count_batch(self, found: Sequence[tuple[UUID, int, MovementType]]) -> int:
        unit, branch_id = self.unit, self.target.branch_id
        assert branch_id is not None
        rows = await repository.count(
            unit.session,
            self.target.business.id,
            branch_id,
            [(product, quantity, kind.value) for product, quantity, kind in found],
            reason=_REASON,
            user_id=self.user_id,
            now=unit.clock.now(),
        )
        for row in rows:
            if not row.allowed:
                problem = f"must be at least {row.reserved}, for so many are reserved"
                self.problems.add(self.counts[row.product_id][2], STOCK, problem)
                continue
            level = ChangedLevel(
                id=row.id,
                business_id=row.business_id,
                product_id=row.product_id,
                branch_id=row.branch_id,
                on_hand=row.on_hand,
                reserved=row.reserved,
                version=row.version,
                change=row.change,
                product_name=row.product_name,
                min_stock=row.min_stock,
            )
            unit.publish(*events_of(level, MovementType(row.type)))
        await unit.finish()
        return len(rows)


class _Matches:
    """Products by what a line may name them."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.by_id: Mapping[UUID | None, Product] = {product.id: product for product in products}
        self.by_sku: Mapping[str | None, Product] = {product.sku: product for product in products if product.sku}
        self.by_barcode: Mapping[str | None, Product] = {
            product.barcode: product for product in products if product.barcode
        }
