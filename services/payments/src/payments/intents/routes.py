"""Payments over REST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.auth import Permission
from chassis.http.app import Caller, context_of
from chassis.http.direct import direct
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from psp.provider import PaymentMethod
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.intents import drafts, errors, qr, repository, schemas, service
from payments.intents.listing import PaymentFilter, Search
from payments.intents.schemas import AwareTime, CreatePayment, PaymentDetail, PaymentView, TimelineView
from payments.intents.status import PaymentStatus, steps_of

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

_TIMELINE_LIMIT = 500
_IMAGE = {"Cache-Control": "private, max-age=300"}

router = APIRouter(prefix="/api/v1/payments", tags=["payments"])


@router.post("/intent", status_code=201, response_model=Data[PaymentView])
@direct
async def create_payment(ctx: Ctx, caller: Caller, scope: IdempotencyKey, body: CreatePayment) -> Response:
    """Ask for money. 503 `payment_outcome_unknown`: the provider did not answer; repeat with the same key."""
    await ctx.access.require(caller, body.business_id, Permission.OPERATE)
    answer = await service.create_payment(
        ctx,
        body.draft(None if caller.is_admin else caller.kyc_level),
        scope,
        lambda payment: schemas.rendered(payment, ctx.public_url),
    )
    return answer_response(answer)


@router.get("", response_model=Page[PaymentView])
@direct
async def list_payments(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    status: PaymentStatus | None = None,
    method: PaymentMethod | None = None,
    provider: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$")] = None,
    since: Annotated[AwareTime | None, Query(alias="from")] = None,
    until: Annotated[AwareTime | None, Query(alias="to", description="Exclusive")] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Payment id, provider's id, sale id, the buyer's phone or e-mail, or in the text",
        ),
    ] = None,
) -> Response:
    """Newest first. A total above a thousand may be some seconds old."""
    wanted = PaymentFilter(
        businesses=await ctx.access.visible(caller, business_id),
        steps=steps_of(status) if status else None,
        method=method.value if method else None,
        provider=provider,
        since=since,
        until=until,
        search=_search(ctx, q.strip()) if q and not q.isspace() else None,
    )
    found, meta = await ctx.lists.page(wanted, paging)
    views = [schemas.view(payment, ctx.public_url) for payment in found]
    return schemas.json_response({"data": views, "meta": meta.model_dump(by_alias=True)})


@router.get("/{payment_id}", response_model=Data[PaymentDetail])
@direct
async def get_payment(ctx: Ctx, caller: Caller, payment_id: UUID) -> Response:
    payment = await service.payment_for(ctx, caller, payment_id)
    return schemas.json_response({"data": schemas.detail(payment, ctx)})


@router.get("/{payment_id}/timeline")
async def get_timeline(ctx: Ctx, caller: Caller, payment_id: UUID) -> Data[list[TimelineView]]:
    """Every attempt, reading and transition, oldest first; the first 500."""
    payment = await service.payment_for(ctx, caller, payment_id)
    entries = await repository.timeline(ctx.database, payment.id, _TIMELINE_LIMIT)
    return Data(data=[TimelineView.of(entry) for entry in entries])


@router.get("/{payment_id}/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}})
async def get_qr_svg(ctx: Ctx, caller: Caller, payment_id: UUID) -> Response:
    """What the buyer scans. As private as the payment: the till fetches it with its token and shows it."""
    content = await _qr_content(ctx, caller, payment_id)
    return Response(await qr.svg(content), media_type="image/svg+xml", headers=_IMAGE)


@router.get("/{payment_id}/qr.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def get_qr_png(ctx: Ctx, caller: Caller, payment_id: UUID) -> Response:
    content = await _qr_content(ctx, caller, payment_id)
    return Response(await qr.png(content), media_type="image/png", headers=_IMAGE)


@router.post("/{payment_id}/cancel", response_model=Data[PaymentView])
async def cancel_payment(ctx: Ctx, caller: Caller, scope: IdempotencyKey, payment_id: UUID) -> Response:
    """Stop waiting for the buyer. 409 for a payment that is paid. PENDING in the answer: the provider cannot be asked
    right now, and the cancellation follows. Repeating it changes nothing, with or without a key."""
    del scope  # accepted and checked like everywhere; cancelling is idempotent by itself
    payment = await service.payment_for(ctx, caller, payment_id, Permission.OPERATE)
    after = await service.cancel_payment(ctx, payment)
    if after.public_status not in (PaymentStatus.FAILED, PaymentStatus.PENDING):
        raise errors.not_cancelable(after.public_status)
    return Response(schemas.rendered(after, ctx.public_url), media_type="application/json")


async def _qr_content(ctx: PaymentsContext, caller: Caller, payment_id: UUID) -> str:
    payment = await service.payment_for(ctx, caller, payment_id)
    if payment.qr_content is None:
        raise errors.no_qr()
    return payment.qr_content


def _search(ctx: PaymentsContext, words: str) -> Search:
    try:
        identifier = UUID(words)
    except ValueError:
        identifier = None
    return Search(words, drafts.phone_index(ctx, words), drafts.email_index(ctx, words), identifier)
