"""POST /payments/:id/confirm."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter
from starlette.responses import Response

from payments.confirmation import service
from payments.confirmation.schemas import ConfirmPayment
from payments.context import PaymentsContext
from payments.intents import schemas
from payments.intents.schemas import PaymentView

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

router = APIRouter(prefix="/api/v1/payments", tags=["payments"])


@router.post("/{payment_id}/confirm", response_model=Data[PaymentView])
async def confirm_payment(
    ctx: Ctx, caller: Caller, scope: IdempotencyKey, payment_id: UUID, body: ConfirmPayment | None = None
) -> Response:
    """Take a payment as paid, for administrators and in test mode only: 403 `not_in_test_mode` in production. The
    timeline says who did it. One that is paid already stays as it is."""
    payment = await service.authorize(ctx, caller, payment_id)

    async def work(unit: UnitOfWork) -> Data[PaymentView]:
        after = await service.confirm(ctx, unit, caller, payment, body.reason if body else None)
        return Data[PaymentView].model_validate({"data": schemas.view(after, ctx.public_url)})

    return answer_response(await ctx.idempotency.run(scope, work, status=200))
