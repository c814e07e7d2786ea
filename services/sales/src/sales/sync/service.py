"""Use case of sales that were made offline: each on its own, entered once however often and in whatever order it comes.

A sale is stored before anything is done for it, under the id its till gave it, with a hash of all that was said of it.
So a crash loses nothing: what was stored is carried on by the resumer, what was not is sent again, and the same sale is
found by its id. From there on it goes the way of any cash sale, except that nobody calls it off: the buyer has left.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import orjson
from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.errors import STATUS
from chassis.http.schemas import Data, ErrorDetail
from kernel import CobroError, Unavailable, new_id
from prometheus_client import Counter

from sales.context import SalesContext
from sales.devices import repository as devices
from sales.sales import repository as sales
from sales.sales import saga, service
from sales.sales import status as sale_status
from sales.sales.drafts import Browser, OfflineSale, SaleDraft
from sales.sales.models import Sale
from sales.sales.status import PaymentMethod, SaleStatus, Step
from sales.sync import errors, repository
from sales.sync.schemas import Malformed, OfflineSaleIn, Outcome, SyncedOut, SyncIn, SyncOut

synced = Counter(
    "cobro_sales_synced_total", "Sales that tills made offline and sent, by what became of them", ["result"]
)

# Tills' clocks are not ours.
_SKEW = timedelta(minutes=5)


async def sync(ctx: SalesContext, caller: Principal, body: SyncIn, scope: IdempotencyScope, browser: Browser) -> Answer:
    """Enter what a till sold. Raises NotFound and Forbidden of the business and the branch; what is wrong with a single
    sale is told in its place."""
    membership = await ctx.access.require(caller, body.business_id, Permission.OPERATE, branch_id=body.branch_id)
    branch = await service.branch_of(ctx, membership, body.business_id, body.branch_id)
    async with ctx.database.transaction() as unit:
        claim = await ctx.idempotency.claim(unit, scope, new_id())
    if isinstance(claim, Answer):
        return claim
    try:
        results = await _enter_all(ctx, caller, body, browser)
        answer = _answer(results)
        async with ctx.database.transaction() as unit:
            if body.last_sequence is not None:
                await devices.given_out(
                    unit,
                    business_id=body.business_id,
                    branch_id=branch.id,
                    name=body.device_id,
                    number=body.last_sequence,
                )
            if any(item.result is Outcome.PENDING for item in results):
                # Asked again under the same key, it should tell how they ended.
                await ctx.idempotency.forget(unit, scope, claim)
            else:
                await ctx.idempotency.finish(unit, scope, claim, answer)
    except Exception:
        async with ctx.database.transaction() as unit:
            await ctx.idempotency.release(unit, scope, claim)
        raise
    return answer


async def _enter_all(ctx: SalesContext, caller: Principal, body: SyncIn, browser: Browser) -> list[SyncedOut]:
    """One after the other. When the catalogue does not answer, the rest is stored and left to the resumer."""
    results: list[SyncedOut] = []
    answering = True
    for offered in body.sales:
        if isinstance(offered, Malformed):
            result = SyncedOut(
                id=offered.id,
                result=Outcome.REJECTED,
                status_code=400,
                code="validation_failed",
                message="Validation failed",
                errors=offered.errors,
            )
        else:
            try:
                result = await _enter(ctx, caller, body, offered, browser, drive=answering)
            except Unavailable as error:
                result = _told(offered, Outcome.PENDING, error)
            except CobroError as error:
                result = _told(offered, Outcome.REJECTED, error)
            answering = answering and result.result is not Outcome.PENDING
        synced.labels(result.result.value).inc()
        results.append(result)
    return results


async def _enter(
    ctx: SalesContext, caller: Principal, body: SyncIn, offered: OfflineSaleIn, browser: Browser, *, drive: bool
) -> SyncedOut:
    """Raises what this sale is refused with."""
    if offered.payment.method is not PaymentMethod.CASH:
        raise errors.not_cash()
    offline = OfflineSale(
        sold_at=offered.sold_at,
        till=body.device_id,
        sequence=offered.sequence,
        total=offered.total,
        content=ctx.blind_index.of(_canonical(body.business_id, offered), column="sales.till_content"),
    )
    async with ctx.database.read() as session:
        known = await sales.find(session, offered.id)
    if known is not None and known.business_id == body.business_id and known.till_content == offline.content:
        # Known and unchanged: not asked again whether it may be entered, for much may have changed since.
        await ctx.access.require(caller, known.business_id, Permission.OPERATE, branch_id=known.branch_id)
        return await _again(ctx, offered, offline, drive=drive)
    if known is not None:
        raise errors.id_reused()
    _check_age(ctx, offered)
    draft = await service.prepare(ctx, caller, offered.sale(body.business_id, body.branch_id), browser, offline=offline)
    sale = await ctx.database.run(lambda unit: _store(ctx, unit, draft, offered.id))
    if sale is None:
        return await _again(ctx, offered, offline, drive=drive)
    return await _carry_on(ctx, offered, sale, Outcome.ACCEPTED, drive=drive)


async def _store(ctx: SalesContext, unit: UnitOfWork, draft: SaleDraft, sale_id: UUID) -> Sale | None:
    """None where this id is taken."""
    sale = await service.draw_up(ctx, unit, draft, sale_id)
    return sale if await repository.insert(unit, sale) else None


async def _again(ctx: SalesContext, offered: OfflineSaleIn, offline: OfflineSale, *, drive: bool) -> SyncedOut:
    """A sale of this id has come before. Raises Conflict (sale_id_reused)."""

    async def look(unit: UnitOfWork) -> tuple[Sale, Outcome]:
        sale = await sales.lock(unit, offered.id)
        if sale is None or sale.till_content != offline.content:
            raise errors.id_reused()
        if SaleStatus(sale.status) in sale_status.SOLD:
            return sale, Outcome.DUPLICATE
        if sale.status == SaleStatus.CANCELED and sale.step == Step.SETTLED:
            _take_up(ctx, sale)
        return sale, Outcome.ACCEPTED

    sale, outcome = await ctx.database.run(look)
    if outcome is Outcome.DUPLICATE:
        return _entered(offered, sale, outcome)
    # Whoever carries it on meanwhile, the first result counts.
    return await _carry_on(ctx, offered, sale, outcome, drive=drive and sale.step != Step.RELEASING)


def _take_up(ctx: SalesContext, sale: Sale) -> None:
    """It was refused, and the till insists: what it was refused for may have been put right."""
    now = ctx.clock.now()
    sale.move(Step.REVIVING if sale.items else Step.RESERVING)
    sale.status = SaleStatus.PENDING_PAYMENT
    sale.canceled_at = sale.cancel_reason = None
    sale.payment_status = "CONFIRMED" if sale.items else None
    sale.version += 1
    sale.updated_at = now
    sale.resume_at = now + ctx.settings.lease
    sale.resume_attempts = 0


async def _carry_on(
    ctx: SalesContext, offered: OfflineSaleIn, sale: Sale, outcome: Outcome, *, drive: bool
) -> SyncedOut:
    if not drive:
        return _entered(offered, sale, Outcome.PENDING)
    turn = await saga.drive(ctx, sale)
    if SaleStatus(turn.sale.status) in sale_status.SOLD:
        return _entered(offered, turn.sale, outcome)
    if turn.sale.status == SaleStatus.CANCELED:
        if turn.error is None:
            raise Unavailable("The sale is being refused elsewhere", code="sale_in_progress")
        raise turn.error
    return _entered(offered, turn.sale, Outcome.PENDING)


def _entered(offered: OfflineSaleIn, sale: Sale, outcome: Outcome) -> SyncedOut:
    result = SyncedOut(
        id=str(offered.id),
        sequence=offered.sequence,
        result=outcome,
        status_code={Outcome.ACCEPTED: 201, Outcome.PENDING: 202}.get(outcome, 200),
        status=SaleStatus(sale.status),
        cash_session_id=sale.cash_session_id,
    )
    if sale.completed_at is not None:
        result.total = str(sale.money(sale.total))
        if sale.till_total is not None:
            result.difference = str(sale.money(sale.till_total - sale.total))
    return result


def _told(offered: OfflineSaleIn, outcome: Outcome, error: CobroError) -> SyncedOut:
    return SyncedOut(
        id=str(offered.id),
        sequence=offered.sequence,
        result=outcome,
        status_code=STATUS[error.kind],
        code=error.code,
        message=error.message,
        errors=[ErrorDetail(field=item.field, message=item.message) for item in error.errors],
    )


def _answer(results: list[SyncedOut]) -> Answer:
    counts = {outcome.value: sum(item.result is outcome for item in results) for outcome in Outcome}
    body = Data[SyncOut](data=SyncOut(**counts, results=results))
    return Answer(200, body.model_dump_json(by_alias=True).encode())


def _check_age(ctx: SalesContext, offered: OfflineSaleIn) -> None:
    now = ctx.clock.now()
    if offered.sold_at > now + _SKEW:
        raise errors.sold_in_future()
    if offered.sold_at < now - timedelta(days=ctx.settings.sync_days):
        raise errors.sold_too_long_ago(ctx.settings.sync_days)


def _canonical(business_id: UUID, offered: OfflineSaleIn) -> str:
    """All that was said of the sale. Not who sent it: another cashier, or the till under another name, may."""
    said = offered.model_dump(mode="json", by_alias=True)
    return orjson.dumps({**said, "businessId": str(business_id)}, option=orjson.OPT_SORT_KEYS).decode()
