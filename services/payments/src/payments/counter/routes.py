"""/api/v1/pay/:key, for buyers: a small page without scripts."""

from __future__ import annotations

from typing import Annotated, Any, Final

from chassis.http.app import context_of
from chassis.http.schemas import ErrorBody
from chassis.localization import Formatter, Language
from fastapi import APIRouter, Query, Request
from kernel import CobroError, ErrorKind, Money, NotFound
from starlette.responses import RedirectResponse, Response

from payments.context import PaymentsContext
from payments.counter import errors, service
from payments.counter.device import device_of, remember
from payments.counter.form import BY_BANK, MAX_NOTE, Form, new_token, read_form
from payments.counter.page import View, gone_page, pay_page
from payments.counter.service import Counter
from payments.counter.texts import TEXTS, Texts, language_of
from payments.intents.payers import DOCUMENT_TYPES

Ctx = Annotated[PaymentsContext, context_of(PaymentsContext)]

_HTML: Final[dict[str, Any]] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorBody, **_HTML} for status in (400, 404, 409, 422, 429, 503)
}
_STATUSES: Final = {
    ErrorKind.INVALID: 400,
    ErrorKind.CONFLICT: 409,
    ErrorKind.RULE: 422,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
_REUSED: Final = "idempotency_key_reused"
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "amount": {"type": "string", "maxLength": 16, "examples": ["150.50"]},
                        "note": {"type": "string", "maxLength": MAX_NOTE},
                        "payment": {"type": "string", "format": "uuid", "description": "Of the sale that is open"},
                        "way": {"type": "string", "enum": [BY_BANK], "description": "With all that follows but token"},
                        "bank": {"type": "string", "description": "Its code"},
                        "name": {"type": "string", "maxLength": 120},
                        "email": {"type": "string", "maxLength": 254},
                        "phone": {"type": "string", "maxLength": 20},
                        "documentType": {"type": "string"},
                        "documentNumber": {"type": "string", "maxLength": 20},
                        "personType": {"type": "string", "enum": ["N", "J"]},
                        "token": {"type": "string", "description": "Sent twice, it is one payment"},
                        "lang": {"type": "string", "enum": [language.value for language in Language]},
                    },
                }
            }
        }
    }
}

router = APIRouter(prefix="/api/v1/pay", tags=["payment-methods"])


@router.get("/{method_key}", response_class=Response, responses={200: _HTML, **_REFUSALS})
async def open_page(
    ctx: Ctx,
    request: Request,
    method_key: str,
    lang: Annotated[str | None, Query(description="es, pt or en; else as the browser says")] = None,
    amount: Annotated[str, Query(description="Filled in, to be changed by the buyer")] = "",
    note: Annotated[str, Query(description="Filled in, to be changed by the buyer")] = "",
) -> Response:
    """What a printed code or a link leads to: the open sale, or a form for the amount. In Spanish, Portuguese or
    English."""
    language = language_of(lang, request.headers.get("accept-language"))
    try:
        counter = await service.counter_of(ctx, method_key)
    except NotFound:
        if not _reads_html(request):
            raise
        return gone_page(language, secure=_secure(ctx))
    form = Form(new_token(), amount[:16], note[:MAX_NOTE])
    return remember(request, await _page(ctx, counter, language, form), secure=_secure(ctx))


@router.post(
    "/{method_key}",
    status_code=303,
    response_class=RedirectResponse,
    responses={303: {"description": "To the provider's page"}, **_REFUSALS},
    openapi_extra=_FORM,
)
async def begin_to_pay(ctx: Ctx, request: Request, method_key: str) -> Response:
    """On to the provider's page, for the open sale or for a new payment of the amount entered. What is wrong with the
    form is said on the page to a browser."""
    form = read_form(await request.body())
    language = language_of(form.lang, request.headers.get("accept-language"))
    try:
        counter = await service.counter_of(ctx, method_key)
    except NotFound:
        if not _reads_html(request):
            raise
        return gone_page(language, secure=_secure(ctx))
    try:
        address = await service.way_to_pay(ctx, counter, form, device_of(request, form.token))
    except CobroError as error:
        status = _STATUSES.get(error.kind)
        if status is None or not _reads_html(request):
            raise
        return await _refused(ctx, counter, language, form, error, status)
    return RedirectResponse(address, status_code=303)


async def _refused(
    ctx: PaymentsContext, counter: Counter, language: Language, form: Form, error: CobroError, status: int
) -> Response:
    if error.code == _REUSED:
        form = Form(new_token(), form.amount_text, form.note, payer=form.payer)
    problem = _problem(TEXTS[language], counter, language, error)
    answer = await _page(ctx, counter, language, form, problem=problem, status=status)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _problem(texts: Texts, counter: Counter, language: Language, error: CobroError) -> str:
    match error.code:
        case errors.AMOUNT_INVALID:
            return texts.bad_amount.format(example="150.50" if counter.business.currency.exponent else "1500")
        case errors.NOTE_INVALID:
            return texts.bad_note
        case errors.PAYER_INVALID:
            return texts.bad_payer.format(fields=", ".join(_label(texts, wrong.field) for wrong in error.errors))
        case "bank_unknown":
            return texts.bad_bank
        case errors.NOT_OPEN:
            return texts.expired
        case "amount_over_limit":
            limit = Money.of(error.metadata["limit"], error.metadata["currency"])
            return texts.too_much.format(limit=Formatter(language, counter.business.country).money(limit))
        case code if code == _REUSED:
            return texts.again
        case _:
            return texts.refused if error.kind is ErrorKind.RULE else texts.busy


def _reads_html(request: Request) -> bool:
    """A browser, and not a program, which is told in the form of every other error."""
    return "text/html" in request.headers.get("accept", "")


def _label(texts: Texts, field: str) -> str:
    labels = {
        "name": texts.name,
        "email": texts.email,
        "phone": texts.phone,
        "documentType": texts.document,
        "documentNumber": texts.document_number,
        "personType": texts.person,
        "bank": texts.bank,
    }
    return labels[field]


async def _page(
    ctx: PaymentsContext,
    counter: Counter,
    language: Language,
    form: Form,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    business, due = counter.business, counter.open
    view = View(
        language=language,
        business=business.name,
        name=counter.method.name,
        description=counter.method.description,
        currency=business.currency.value,
        token=form.token,
        due=Formatter(language, business.country).money(due.money) if due else None,
        payment_id=due.id if due else None,
        amount=form.amount_text[:16],
        note=form.note[:MAX_NOTE],
        problem=problem,
        banks=await service.banks(ctx, counter),
        payer=form.payer,
        document_types=DOCUMENT_TYPES[business.country],
    )
    return pay_page(view, secure=_secure(ctx), status=status)


def _secure(ctx: PaymentsContext) -> bool:
    return ctx.public_url.startswith("https://")
