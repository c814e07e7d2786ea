"""REST: /api/v1/payment-methods."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from psp.provider import PaymentMethod
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.intents import qr
from payments.methods import errors, repository, service
from payments.methods.models import Method
from payments.methods.repository import MethodFilter
from payments.methods.schemas import BankView, MethodCreate, MethodPatch, MethodReplace, MethodView, page_address

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

_IMAGE = {"Cache-Control": "private, max-age=300"}
# For paper: a module is then at least a millimetre at 300 dots per inch.
_PRINT_SCALE = 16

router = APIRouter(prefix="/api/v1/payment-methods", tags=["payment-methods"])


@router.get("")
async def list_methods(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    type: PaymentMethod | None = None,
    is_active: Annotated[bool | None, Query(alias="isActive")] = None,
) -> Page[MethodView]:
    """Newest first."""
    businesses = await ctx.access.visible(caller, business_id)
    wanted = MethodFilter(businesses, type.value if type else None, is_active)
    found = await repository.page(ctx.database, wanted, paging)
    return as_page(found, lambda row: MethodView.of(repository.method_of(row), ctx.public_url))


@router.post("", status_code=201, response_model=Data[MethodView])
async def create_method(ctx: Ctx, caller: Caller, scope: IdempotencyKey, body: MethodCreate) -> Response:
    """422 `method_not_supported`: the country's provider does not offer it."""
    await service.check_creation(ctx, caller, body)

    async def work(unit: UnitOfWork) -> Data[MethodView]:
        return _shown(ctx, await service.create(ctx, unit, body))

    return answer_response(await ctx.idempotency.run(scope, work))


@router.get("/banks")
async def list_banks(
    ctx: Ctx, caller: Caller, business_id: Annotated[UUID, Query(alias="businessId")]
) -> Data[list[BankView]]:
    """What `bankCode` of a bank transfer may be, by name; empty where the country's provider asks the buyer itself. An
    hour old at most while the provider can be reached; 503 `banks_unavailable` otherwise."""
    banks = await service.banks_of(ctx, caller, business_id)
    return Data(data=[BankView(code=bank.code, name=bank.name) for bank in banks])


@router.get("/{method_id}")
async def get_method(ctx: Ctx, caller: Caller, method_id: UUID) -> Data[MethodView]:
    return _shown(ctx, await service.method_for(ctx, caller, method_id))


@router.put("/{method_id}")
async def replace_method(ctx: Ctx, caller: Caller, method_id: UUID, body: MethodReplace) -> Data[MethodView]:
    """Every field as given; what is left out returns to its default."""
    return _shown(ctx, await service.replace(ctx, caller, method_id, body))


@router.patch("/{method_id}")
async def patch_method(ctx: Ctx, caller: Caller, method_id: UUID, body: MethodPatch) -> Data[MethodView]:
    """Only the fields named; null clears the description."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    return _shown(ctx, await service.patch(ctx, caller, method_id, changes))


@router.delete("/{method_id}", status_code=204)
async def delete_method(ctx: Ctx, caller: Caller, method_id: UUID) -> None:
    """The printed code and the link lead nowhere from then on."""
    await service.delete(ctx, caller, method_id)


@router.get("/{method_id}/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}})
async def get_method_qr_svg(ctx: Ctx, caller: Caller, method_id: UUID) -> Response:
    """The code to print and put on the counter."""
    content = await _content(ctx, caller, method_id)
    return Response(await qr.svg(content, scale=_PRINT_SCALE), media_type="image/svg+xml", headers=_IMAGE)


@router.get("/{method_id}/qr.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def get_method_qr_png(ctx: Ctx, caller: Caller, method_id: UUID) -> Response:
    content = await _content(ctx, caller, method_id)
    return Response(await qr.png(content, scale=_PRINT_SCALE), media_type="image/png", headers=_IMAGE)


async def _content(ctx: PaymentsContext, caller: Caller, method_id: UUID) -> str:
    address = page_address(await service.method_for(ctx, caller, method_id), ctx.public_url)
    if address is None:
        raise errors.no_page()
    return address


def _shown(ctx: PaymentsContext, method: Method) -> Data[MethodView]:
    return Data(data=MethodView.of(method, ctx.public_url))
