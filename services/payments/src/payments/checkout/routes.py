"""/api/v1/checkout/:key, for buyers' browsers."""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import context_of
from chassis.localization import Formatter
from fastapi import APIRouter, Query, Request
from kernel import NotFound
from starlette.responses import HTMLResponse, Response

from payments.checkout import service
from payments.checkout.page import gone_page, leading_page, over_page, paid_page, waiting_page
from payments.context import PaymentsContext
from payments.counter.texts import language_of
from payments.intents.status import Step

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

# A page and no part of the API: its addresses are handed out with payments, and nobody composes one.
router = APIRouter(prefix="/api/v1/checkout", include_in_schema=False)


@router.get("/{key}", response_class=HTMLResponse)
async def lead_to_provider(
    ctx: Ctx, request: Request, key: str, lang: Annotated[str | None, Query()] = None
) -> Response:
    """On to the provider, in Spanish, Portuguese or English; how the payment stands once it is no longer open."""
    language = language_of(lang, request.headers.get("accept-language"))
    try:
        visit = await service.visit(ctx, key)
    except NotFound:
        return gone_page(language)
    business, payment = visit.business.name, visit.payment
    amount = Formatter(language, visit.business.country).money(payment.money)
    if visit.form is not None:
        return leading_page(language, business, amount, visit.form)
    if visit.waiting:
        return waiting_page(language, business, amount, payment.payment_link)
    if payment.step in (Step.CONFIRMED, Step.PARTIALLY_REFUNDED, Step.REFUNDED):
        return paid_page(language, business, amount, given_back=payment.step is Step.REFUNDED)
    return over_page(language, business)
