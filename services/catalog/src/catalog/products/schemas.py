"""Request and response models of products."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from chassis.http.schemas import Amount, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import AfterValidator, Field, StringConstraints, field_validator

from catalog.products.models import Product
from catalog.stock.schemas import MAX_QUANTITY


def _fraction(rate: Decimal) -> Decimal:
    if not 0 <= rate < 1:
        raise ValueError('must be a fraction from 0 to below 1, such as "0.16"')
    if rate != round(rate, 4):
        raise ValueError("must have at most 4 decimals")
    return rate


Price = Annotated[Amount, Field(ge=0)]
TaxRate = Annotated[Amount, AfterValidator(_fraction)]
Code = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f]+( [^\x00-\x20\x7f]+)*$")
]
Category = Annotated[Text, StringConstraints(max_length=100)]
ImageUrl = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\x00-\x20\x7f<>\"'`\\]+$")]
Quantity = Annotated[int, Field(ge=0, le=MAX_QUANTITY, strict=True)]


class ProductFields(RequestModel):
    """price and cost are tax-inclusive, in the business's currency. taxRate: the country's general VAT when left out.
    minStock: the least that should lie in each branch."""

    name: Text
    price: Price
    sku: Code | None = None
    barcode: Code | None = None
    description: LongText | None = None
    category: Category | None = None
    cost: Price | None = None
    tax_rate: TaxRate | None = None
    min_stock: Quantity = 0
    image_url: ImageUrl | None = None
    is_active: bool = True


class ProductCreate(ProductFields):
    """stock: what lies in the business's first branch now; later it changes through stock movements alone."""

    business_id: UUID
    stock: Quantity = 0


class ProductReplace(ProductFields):
    """What is left out returns to its default. businessId may be repeated but not changed."""

    business_id: UUID | None = None


class ProductPatch(RequestModel):
    """Only what is named changes; null clears what may be empty."""

    name: Text | None = None
    price: Price | None = None
    sku: Code | None = None
    barcode: Code | None = None
    description: LongText | None = None
    category: Category | None = None
    cost: Price | None = None
    tax_rate: TaxRate | None = None
    min_stock: Quantity | None = None
    image_url: ImageUrl | None = None
    is_active: bool | None = None

    @field_validator("name", "price", "tax_rate", "min_stock", "is_active", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be null")
        return value


class ProductOut(ResponseModel):
    """stock: available (on hand and not reserved) in all branches together."""

    id: UUID
    business_id: UUID
    name: str
    sku: str | None
    barcode: str | None
    description: str | None
    category: str | None
    currency: str
    price: Amount
    cost: Amount | None
    tax_rate: Amount
    stock: int
    min_stock: int
    image_url: str | None
    is_active: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime

    @classmethod
    def of(cls, product: Product, stock: int) -> ProductOut:
        return cls(
            id=product.id,
            business_id=product.business_id,
            name=product.name,
            sku=product.sku,
            barcode=product.barcode,
            description=product.description,
            category=product.category,
            currency=product.currency,
            price=product.money(product.price).decimal,
            cost=None if product.cost is None else product.money(product.cost).decimal,
            tax_rate=product.tax_rate.normalize(),
            stock=stock,
            min_stock=product.min_stock,
            image_url=product.image_url,
            is_active=product.is_active,
            created_at=product.created_at,
            updated_at=product.updated_at,
        )
