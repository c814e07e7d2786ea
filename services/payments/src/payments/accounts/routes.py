"""REST: /api/v1/payment-accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Path, Query

from payments.accounts import service
from payments.accounts.schemas import AccountPut, AccountView
from payments.context import PaymentsContext

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]
Provider = Annotated[str, Path(pattern=r"^[a-z]{1,40}$", description="conekta, payu, mercadopago or khipu")]
BusinessId = Annotated[UUID, Query(alias="businessId")]

router = APIRouter(prefix="/api/v1/payment-accounts", tags=["payment-accounts"])


@router.get("/{provider}")
async def get_account(ctx: Ctx, caller: Caller, provider: Provider, business_id: BusinessId) -> Data[AccountView]:
    """Whose account at the provider the business is paid to: the platform's, or its own. Of the credentials nothing but
    which are set, and how they end."""
    return Data(data=await service.show(ctx, caller, business_id, provider))


@router.put("/{provider}")
async def put_account(
    ctx: Ctx, caller: Caller, provider: Provider, business_id: BusinessId, body: AccountPut
) -> Data[AccountView]:
    """The business's own account, from the next payment on. The provider is asked about the credentials once: 422
    `credentials_refused` where it does not accept them; where it cannot be asked they are saved as UNVERIFIED."""
    return Data(data=await service.save(ctx, caller, business_id, provider, body))


@router.delete("/{provider}", status_code=204)
async def delete_account(ctx: Ctx, caller: Caller, provider: Provider, business_id: BusinessId) -> None:
    """Back to the platform's account, from the next payment on."""
    await service.remove(ctx, caller, business_id, provider)
