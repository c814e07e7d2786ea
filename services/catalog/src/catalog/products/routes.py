"""REST: /api/v1/products."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page, Text
from fastapi import APIRouter, Query
from starlette.responses import Response

from catalog.context import Ctx
from catalog.products import service
from catalog.products.repository import ProductFilters
from catalog.products.schemas import ProductCreate, ProductOut, ProductPatch, ProductReplace

router = APIRouter(prefix="/api/v1/products", tags=["products"])

_SEARCH = "Words or their beginnings, without regard to accents and case; forgives a typo"


@router.get("")
async def list_products(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    q: Annotated[Text | None, Query(description=_SEARCH)] = None,
    category: Annotated[Text | None, Query()] = None,
    barcode: Annotated[Text | None, Query()] = None,
    sku: Annotated[Text | None, Query()] = None,
    low_stock: Annotated[
        bool | None, Query(alias="lowStock", description="At or below minStock in some branch, or in none at all")
    ] = None,
    is_active: Annotated[bool | None, Query(alias="isActive")] = None,
) -> Page[ProductOut]:
    """Products of one business, or of all the caller's, newest first."""
    filters = ProductFilters(q, category, barcode, sku, low_stock, is_active)
    return await service.list_products(ctx, caller, business_id, filters, paging)


@router.post("", response_model=Data[ProductOut], status_code=201)
async def create_product(body: ProductCreate, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """A new product; `stock` becomes an IN movement of the business's first branch."""
    return answer_response(await service.create_product(ctx, caller, key, body))


@router.get("/categories")
async def list_categories(
    caller: Caller, ctx: Ctx, business_id: Annotated[UUID, Query(alias="businessId")]
) -> Data[list[str]]:
    """The categories that the products of a business have, in order."""
    return Data(data=await service.list_categories(ctx, caller, business_id))


@router.get("/{product_id}")
async def get_product(product_id: UUID, caller: Caller, ctx: Ctx) -> Data[ProductOut]:
    return Data(data=await service.get_product(ctx, caller, product_id))


@router.put("/{product_id}")
async def replace_product(product_id: UUID, body: ProductReplace, caller: Caller, ctx: Ctx) -> Data[ProductOut]:
    """Every field as given; what is left out returns to its default."""
    return Data(data=await service.replace_product(ctx, caller, product_id, body))


@router.patch("/{product_id}")
async def patch_product(product_id: UUID, body: ProductPatch, caller: Caller, ctx: Ctx) -> Data[ProductOut]:
    """Only the fields named; null clears what may be empty."""
    return Data(data=await service.patch_product(ctx, caller, product_id, body))


@router.delete("/{product_id}", status_code=204)
async def delete_product(product_id: UUID, caller: Caller, ctx: Ctx) -> None:
    await service.delete_product(ctx, caller, product_id)
