"""Use cases of sales: one function each, owning its transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.auth import BusinessRole, Membership, Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, Claim, IdempotencyScope
from chassis.directory import Branch
from chassis.http.pagination import PageParams, Slice
from kernel import CobroError, Forbidden, NotFound, new_id

from sales.cash_registers import ledger
from sales.context import SalesContext
from sales.sales import errors, presentation, repository, saga, settlement
from sales.sales.drafts import Browser, OfflineSale, SaleDraft, draft_of, new_sale
from sales.sales.models import Sale
from sales.sales.repository import SaleFilter, Visible
from sales.sales.schemas import SaleIn
from sales.sales.status import SOLD, CancelReason, PaymentMethod, SaleStatus, Step


@dataclass(frozen=True, slots=True)
class SaleQuery:
    """Filters of the list, as the client gave them."""

    business_id: UUID | None = None
    branch_id: UUID | None = None
    status: SaleStatus | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    method: PaymentMethod | None = None
    cash_session_id: UUID | None = None
    created_by: UUID | None = None
    text: str | None = None


async def create(
    ctx: SalesContext, caller: Principal, body: SaleIn, scope: IdempotencyScope, browser: Browser
) -> Answer:
    """Sell. Returns the sale waiting for its payment, or completed when it was paid in cash.

    Raises what catalog and payments refuse it with, after everything done so far was taken back, and Unavailable when
    one of them does not answer: the same request under the same Idempotency-Key then finds out what became of it.
    """
    draft = await prepare(ctx, caller, body, browser)

    async def start(unit: UnitOfWork) -> Sale | Answer:
        claim = await ctx.idempotency.claim(unit, scope, new_id())
        if isinstance(claim, Answer):
            return claim
        if claim.resumed:
            return await _taken_over(ctx, unit, claim)
        sale = await begin(ctx, unit, draft, claim.resource_id)
        sale.idempotency_route = scope.route
        sale.idempotency_key = scope.key
        sale.idempotency_owner = claim.owner if scope.key is not None else None
        return sale

    begun = await ctx.database.run(start)
    if isinstance(begun, Answer):
        return begun
    turn = await saga.drive(ctx, begun)
    if turn.error is not None:
        raise turn.error
    if turn.sale.status == SaleStatus.CANCELED:
        raise errors.payment_refused(turn.sale.cancel_reason)
    return turn.answer or presentation.answer(turn.sale, ctx.cipher, 201)


async def cancel(ctx: SalesContext, caller: Principal, sale_id: UUID, scope: IdempotencyScope) -> Answer:
    """Call off a sale that waits for its payment. Raises Conflict: sale_already_paid, sale_not_pending,
    sale_in_progress, payment_still_open."""
    await get(ctx, caller, sale_id, permission=Permission.OPERATE)

    async def start(unit: UnitOfWork) -> tuple[Claim, Sale] | Answer:
        claim = await ctx.idempotency.claim(unit, scope, sale_id)
        if isinstance(claim, Answer):
            return claim
        sale = await _locked(unit, sale_id)
        _check_cancelable(sale)
        return claim, sale

    begun = await ctx.database.run(start)
    if isinstance(begun, Answer):
        return begun
    claim, sale = begun
    assert sale.transaction_id is not None
    try:
        payment = await ctx.payments.cancel(sale, sale.transaction_id, CancelReason.CANCELED_BY_USER)
        if payment.status == "PENDING":
            raise errors.payment_still_open()
        if payment.status != "FAILED":
            raise errors.sale_already_paid()
        return await _canceled(ctx, sale_id, scope, claim)
    except CobroError:
        async with ctx.database.transaction() as unit:
            await ctx.idempotency.forget(unit, scope, claim)
        raise


async def get(ctx: SalesContext, caller: Principal, sale_id: UUID, *, permission: Permission = Permission.READ) -> Sale:
    """Raises NotFound, the same for an absent sale and for one of a business that is not the caller's."""

    async def look_up() -> Sale:
        async with ctx.database.read() as session:
            found = await repository.find(session, sale_id)
        if found is None:
            raise errors.sale_not_found()
        return found

    sale = await ctx.access.find(caller, look_up)
    try:
        await ctx.access.require(caller, sale.business_id, permission, branch_id=sale.branch_id)
    except NotFound:
        raise errors.sale_not_found() from None
    return sale


async def get_of_business(ctx: SalesContext, business_id: UUID, sale_id: UUID) -> Sale:
    """For another service, which has checked its own caller. Raises NotFound."""
    async with ctx.database.read() as session:
        sale = await repository.find(session, sale_id)
    if sale is None or sale.business_id != business_id:
        raise errors.sale_not_found()
    return sale


async def find(ctx: SalesContext, caller: Principal, query: SaleQuery, params: PageParams) -> Slice:
    """A page of sales, newest first; an employee sees those of their branches."""
    chosen = SaleFilter(
        visible=await _visible(ctx, caller, query),
        branch_id=query.branch_id,
        status=query.status,
        created_from=query.created_from,
        created_to=query.created_to,
        method=query.method,
        cash_session_id=query.cash_session_id,
        created_by=query.created_by,
        text=query.text,
    )
    async with ctx.database.read() as session:
        return await repository.page(session, chosen, params)


async def prepare(
    ctx: SalesContext, caller: Principal, body: SaleIn, browser: Browser, *, offline: OfflineSale | None = None
) -> SaleDraft:
    """What the caller may sell here. offline: of a sale that has taken place before, also in a branch closed since.

    Raises NotFound, Forbidden, InvalidInput, RuleViolation (business_inactive, branch_inactive, branch_needed).
    """
    membership = await ctx.access.require(caller, body.business_id, Permission.OPERATE, branch_id=body.branch_id)
    business = await ctx.directory.business(body.business_id)
    branch = await branch_of(ctx, membership, body.business_id, body.branch_id)
    if not business.is_active:
        raise errors.business_inactive()
    if not branch.is_active and offline is None:
        raise errors.branch_inactive()
    return draft_of(ctx.settings, caller, body, business, branch, browser=browser, offline=offline)


async def begin(ctx: SalesContext, unit: UnitOfWork, draft: SaleDraft, sale_id: UUID) -> Sale:
    """The sale's row, for its saga to be driven after the transaction. Raises as `draw_up`."""
    sale = await draw_up(ctx, unit, draft, sale_id)
    unit.session.add(sale)
    return sale


async def draw_up(ctx: SalesContext, unit: UnitOfWork, draft: SaleDraft, sale_id: UUID) -> Sale:
    """The row before it is stored. Raises what the drawer refuses: cash_register_not_found,
    cash_register_of_another_branch, cash_register_closed."""
    drawer = await ledger.session_for(
        unit,
        business_id=draft.business.id,
        branch_id=draft.branch.id,
        register_id=draft.register_id,
        sold_at=draft.sold_at,
    )
    now = ctx.clock.now()
    sale = new_sale(ctx.cipher, draft, sale_id, drawer, now)
    sale.resume_at = now + ctx.settings.lease
    return sale


async def _taken_over(ctx: SalesContext, unit: UnitOfWork, claim: Claim) -> Sale:
    """The sale of an earlier try that ended without an answer."""
    sale = await _locked(unit, claim.resource_id)
    sale.idempotency_owner = claim.owner
    sale.resume_at = ctx.clock.now() + ctx.settings.lease
    return sale


async def _canceled(ctx: SalesContext, sale_id: UUID, scope: IdempotencyScope, claim: Claim) -> Answer:
    async def end(unit: UnitOfWork) -> tuple[Sale, Answer]:
        sale = await _locked(unit, sale_id)
        # The event of the payment's cancellation may have been faster; then all is done.
        if sale.status != SaleStatus.CANCELED:
            _check_cancelable(sale)
            sale.payment_status = "FAILED"
            settlement.cancel(unit, sale, CancelReason.CANCELED_BY_USER, ctx.clock.now(), ctx.settings.lease)
        answer = presentation.answer(sale, ctx.cipher, 200)
        await ctx.idempotency.finish(unit, scope, claim, answer)
        return sale, answer

    sale, answer = await ctx.database.run(end)
    await saga.drive(ctx, sale)
    return answer


async def _locked(unit: UnitOfWork, sale_id: UUID) -> Sale:
    sale = await repository.lock(unit, sale_id)
    if sale is None:
        raise errors.sale_not_found()
    return sale


def _check_cancelable(sale: Sale) -> None:
    if sale.status == SaleStatus.CANCELED:
        raise errors.sale_not_pending(sale.status)
    if SaleStatus(sale.status) in SOLD or sale.payment_confirmed_at is not None:
        raise errors.sale_already_paid()
    if sale.step != Step.AWAITING_PAYMENT:
        raise errors.sale_in_progress()


async def branch_of(ctx: SalesContext, membership: Membership, business_id: UUID, branch_id: UUID | None) -> Branch:
    """The branch named, else the business's first, or one of an employee's. Raises NotFound, Forbidden, RuleViolation
    (branch_needed)."""
    if branch_id is None and membership.role is BusinessRole.EMPLOYEE:
        if not membership.branch_ids:
            raise Forbidden("You are not assigned to any branch", code="branch_forbidden")
        branch_id = min(membership.branch_ids)
    try:
        return await ctx.directory.branch(business_id, branch_id)
    except NotFound:
        if branch_id is None:
            raise errors.branch_needed() from None
        raise


async def _visible(ctx: SalesContext, caller: Principal, query: SaleQuery) -> Sequence[Visible] | None:
    memberships = await ctx.access.visible_memberships(caller, query.business_id, branch_id=query.branch_id)
    return None if memberships is None else [_seen_by(membership) for membership in memberships]


def _seen_by(membership: Membership) -> Visible:
    whole = membership.role is BusinessRole.OWNER
    return Visible(membership.business_id, None if whole else membership.branch_ids)
