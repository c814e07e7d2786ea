"""/api/v1/reconciliations, for administrators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.reconciliation import repository, service
from payments.reconciliation.schemas import CreateReconciliation, DifferenceView, RunDetail, RunView

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

_SHOWN = 1000

router = APIRouter(prefix="/api/v1/reconciliations", tags=["reconciliations"])


@router.get("")
async def list_reconciliations(
    ctx: Ctx, caller: Caller, paging: Paging, provider: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$")] = None
) -> Page[RunView]:
    """Newest first."""
    service.require_admin(caller)
    found = await repository.page(ctx.database, provider, paging)
    return as_page(found, lambda row: RunView.model_validate(repository.run_of(row)))


@router.post("", status_code=202, response_model=Data[RunView])
async def request_reconciliation(
    ctx: Ctx, caller: Caller, scope: IdempotencyKey, body: CreateReconciliation
) -> Response:
    """Compare a day with the provider's payments; it begins in a moment. 422 `reconciliation_not_supported`
    `day_not_over`."""
    service.require_admin(caller)

    async def work(unit: UnitOfWork) -> Data[RunView]:
        run = await service.request(ctx, unit, body.provider, body.day)
        return Data[RunView](data=RunView.model_validate(run))

    return answer_response(await ctx.idempotency.run(scope, work, status=202))


@router.get("/{reconciliation_id}")
async def get_reconciliation(ctx: Ctx, caller: Caller, reconciliation_id: UUID) -> Data[RunDetail]:
    """With what was found."""
    service.require_admin(caller)
    run = await service.run_for(ctx, reconciliation_id)
    found = await repository.found_by(ctx.database, run.id, _SHOWN)
    shown = RunView.model_validate(run).model_dump()
    return Data(data=RunDetail(**shown, differences=[DifferenceView.of(difference) for difference in found]))
