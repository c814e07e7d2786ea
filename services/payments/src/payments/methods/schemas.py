"""Payment methods as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from psp.provider import PaymentMethod
from pydantic import StringConstraints, field_validator

from payments.methods.models import Method

Name = Annotated[Text, StringConstraints(max_length=80)]


class MethodFields(RequestModel):
    """name, description: also shown to the buyer."""

    name: Name
    description: Text | None = None
    is_active: bool = True


class MethodCreate(MethodFields):
    business_id: UUID
    type: PaymentMethod


class MethodReplace(MethodFields):
    """What is left out returns to its default. businessId and type may be repeated but not changed."""

    business_id: UUID | None = None
    type: PaymentMethod | None = None


class MethodPatch(RequestModel):
    """Only what is named changes; null clears the description."""

    name: Name | None = None
    description: Text | None = None
    is_active: bool | None = None

    @field_validator("name", "is_active", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be null")
        return value


class MethodView(ResponseModel):
    """Of a method with a page, QR_STATIC and PAYMENT_LINK, null for others: qr_code_url, the page's address, which is
    what the code says; qr_image_url, the code to print; link_template, the address with an amount and a note filled in
    (RFC 6570)."""

    id: UUID
    business_id: UUID
    type: PaymentMethod
    name: str
    description: str | None
    qr_code_url: str | None
    qr_image_url: str | None
    link_template: str | None
    is_active: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime

    @classmethod
    def of(cls, method: Method, public_url: str) -> Self:
        address = page_address(method, public_url)
        image = f"{public_url}/api/v1/payment-methods/{method.id}/qr.svg"
        return cls(
            id=method.id,
            business_id=method.business_id,
            type=method.kind,
            name=method.name,
            description=method.description,
            qr_code_url=address,
            qr_image_url=image if address else None,
            link_template=f"{address}{{?amount,note}}" if address else None,
            is_active=method.is_active,
            created_at=method.created_at,
            updated_at=method.updated_at,
        )


class BankView(ResponseModel):
    code: str
    name: str


def page_address(method: Method, public_url: str) -> str | None:
    return f"{public_url}/api/v1/pay/{method.key}" if method.has_page else None
