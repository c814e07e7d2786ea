"""Refunds over REST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.auth import Permission
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.intents.service import payment_for
from payments.refunds import errors, repository, schemas, service
from payments.refunds.schemas import CreateRefund, RefundView

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

router = APIRouter(prefix="/api/v1/payments", tags=["refunds"])


@router.post("/{payment_id}/refund", status_code=201, response_model=Data[RefundView])
async def refund_payment(
    ctx: Ctx, caller: Caller, scope: IdempotencyKey, payment_id: UUID, body: CreateRefund
) -> Response:
    """Give money back. PENDING: the provider takes its time or did not answer; the refund is followed to its end."""
    payment = await payment_for(ctx, caller, payment_id, Permission.MANAGE)
    return answer_response(await service.refund_payment(ctx, payment, body.wish(), scope, schemas.rendered))


@router.get("/{payment_id}/refunds", response_model=Page[RefundView])
async def list_refunds(ctx: Ctx, caller: Caller, paging: Paging, payment_id: UUID) -> Page[RefundView]:
    """Newest first."""
    payment = await payment_for(ctx, caller, payment_id)
    found = await repository.page(ctx.database, payment.id, paging)
    return as_page(found, lambda row: RefundView.of(repository.refund_of(row)))


@router.get("/{payment_id}/refunds/{refund_id}", response_model=Data[RefundView])
async def get_refund(ctx: Ctx, caller: Caller, payment_id: UUID, refund_id: UUID) -> Data[RefundView]:
    payment = await payment_for(ctx, caller, payment_id)
    refund = await repository.find(ctx.database, refund_id, payment_id=payment.id)
    if refund is None:
        raise errors.refund_not_found()
    return Data(data=RefundView.of(refund))
