"""The use cases of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated
from kernel import Currency, InvalidInput, NotFound, new_id
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.context import CatalogContext
from catalog.products import errors, repository
from catalog.products.amounts import stored
from catalog.products.cache import CachedPage, touch
from catalog.products.events import event_of
from catalog.products.models import Product
from catalog.products.repository import ProductFilters
from catalog.products.schemas import ProductCreate, ProductFields, ProductOut, ProductPatch, ProductReplace
from catalog.stock import ledger
from catalog.stock.movement import Change, MovementType

MAX_CATEGORIES = 1_000
_INITIAL = "Inventario inicial"


async def create_product(
    ctx: CatalogContext, caller: Principal, scope: IdempotencyScope, request: ProductCreate
) -> Answer:
    """The product, with its first stock as an IN movement of the business's first branch.

    Raises NotFound (business), Forbidden, InvalidInput (amounts), RuleViolation (branch_needed), Conflict (sku_taken,
    barcode_taken).
    """
    await ctx.access.require(caller, request.business_id, Permission.MANAGE)
    business = await ctx.directory.business(request.business_id)
    values = stored(request, ProductFields.model_fields, business.currency)
    if values["tax_rate"] is None:
        values["tax_rate"] = business.country.vat_rate
    branch_id = await _first_branch(ctx, business.id) if request.stock else None

    async def work(unit: UnitOfWork) -> Data[ProductOut]:
        now = unit.clock.now()
        product = Product(
            id=new_id(),
            business_id=business.id,
            currency=business.currency.value,
            version=1,
            created_at=now,
            updated_at=now,
            **values,
        )
        unit.session.add(product)
        await _flush(unit.session)
        unit.publish(event_of(ProductCreated, product))
        if branch_id is not None:
            change = Change(branch_id, request.stock)
            await ledger.record(unit, product, MovementType.IN, [change], reason=_INITIAL, created_by=caller.user_id)
        await unit.session.flush()
        await touch(unit.session, business.id)
        return Data(data=ProductOut.of(product, request.stock))

    return await ctx.idempotency.run(scope, work)


async def list_products(
    ctx: CatalogContext, caller: Principal, business_id: UUID | None, filters: ProductFilters, paging: PageParams
) -> Page[ProductOut]:
    """Newest first. What merely resembles `q` is looked for only when no product has its words."""
    businesses = await ctx.access.visible(caller, business_id)
    # Whether stock is low is no longer so after the next sale.
    if businesses is None or len(businesses) != 1 or filters.low_stock is not None:
        return await _read_page(ctx, businesses, filters, paging)
    cached = await CachedPage.of(ctx, businesses[0], filters, paging)
    page = await cached.read(ctx)
    if page is None:
        page = await _read_page(ctx, businesses, filters, paging)
        await cached.keep(ctx, page)
    return page


async def list_categories(ctx: CatalogContext, caller: Principal, business_id: UUID) -> list[str]:
    """In order, at most MAX_CATEGORIES. Raises NotFound (business)."""
    await ctx.access.require(caller, business_id, Permission.READ)
    async with ctx.database.read() as session:
        return list(await repository.categories(session, business_id, MAX_CATEGORIES))


async def _read_page(
    ctx: CatalogContext, businesses: Sequence[UUID] | None, filters: ProductFilters, paging: PageParams
) -> Page[ProductOut]:
    async with ctx.database.read() as session:
        found = await repository.page(session, businesses, filters, paging)
    if filters.q is not None and found.meta.total == 0:
        async with ctx.database.transaction() as unit:
            found = await repository.resembling(unit.session, businesses, filters, paging)
    return as_page(found, lambda row: ProductOut.of(row.Product, int(row.stock)))


async def get_product(ctx: CatalogContext, caller: Principal, product_id: UUID) -> ProductOut:
    product, stock = await visible_product(ctx, caller, product_id, Permission.READ)
    return ProductOut.of(product, stock)


async def replace_product(
    ctx: CatalogContext, caller: Principal, product_id: UUID, request: ProductReplace
) -> ProductOut:
    """Every field as given, or its default. Raises as `create_product` does."""
    product, _ = await visible_product(ctx, caller, product_id, Permission.MANAGE)
    if request.business_id not in (None, product.business_id):
        raise InvalidInput.field("businessId", "cannot be changed")
    values = stored(request, ProductFields.model_fields, Currency(product.currency))
    if values["tax_rate"] is None:
        values["tax_rate"] = (await ctx.directory.business(product.business_id)).country.vat_rate
    return await _change(ctx, product_id, values)


async def patch_product(ctx: CatalogContext, caller: Principal, product_id: UUID, request: ProductPatch) -> ProductOut:
    """Only the fields named. Raises as `create_product` does."""
    product, _ = await visible_product(ctx, caller, product_id, Permission.MANAGE)
    values = stored(request, request.model_fields_set, Currency(product.currency))
    return await _change(ctx, product_id, values)


async def delete_product(ctx: CatalogContext, caller: Principal, product_id: UUID) -> None:
    """It is no longer found or sold; what is reserved of it is still sold, and its history stays."""
    await visible_product(ctx, caller, product_id, Permission.MANAGE)

    async def work(unit: UnitOfWork) -> None:
        product, _ = await _locked(unit.session, product_id)
        product.deleted_at = product.updated_at = unit.clock.now()
        product.version += 1
        unit.publish(event_of(ProductDeleted, product))
        await unit.session.flush()
        await touch(unit.session, product.business_id)

    await ctx.database.run(work)


async def visible_product(
    ctx: CatalogContext, caller: Principal, product_id: UUID, permission: Permission
) -> tuple[Product, int]:
    """The product and its available stock, if the caller may do this with it.

    Raises NotFound, the same for a product that is absent and for one of another's business; Forbidden.
    """

    async def find() -> Row[Product, int]:
        async with ctx.database.read() as session:
            found = await repository.find(session, product_id)
        if found is None:
            raise errors.product_not_found()
        return found

    product, stock = await ctx.access.find(caller, find)
    try:
        await ctx.access.require(caller, product.business_id, permission)
    except NotFound:
        raise errors.product_not_found() from None
    return product, int(stock)


async def _change(ctx: CatalogContext, product_id: UUID, values: Mapping[str, Any]) -> ProductOut:
    async def work(unit: UnitOfWork) -> ProductOut:
        product, stock = await _locked(unit.session, product_id)
        changed = {name: value for name, value in values.items() if getattr(product, name) != value}
        if changed:
            for name, value in changed.items():
                setattr(product, name, value)
            product.updated_at = unit.clock.now()
            product.version += 1
            await _flush(unit.session)
            unit.publish(event_of(ProductUpdated, product))
            await touch(unit.session, product.business_id)
        return ProductOut.of(product, stock)

    return await ctx.database.run(work)


async def _locked(session: AsyncSession, product_id: UUID) -> tuple[Product, int]:
    found = await repository.lock(session, product_id)
    if found is None:
        raise errors.product_not_found()
    return found[0], int(found[1])


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        conflict = errors.taken(error)
        if conflict is None:
            raise
        raise conflict from None


async def _first_branch(ctx: CatalogContext, business_id: UUID) -> UUID:
    try:
        return (await ctx.directory.branch(business_id)).id
    except NotFound:
        raise errors.branch_needed() from None
