"""The writing half of a step: its result under the row's lock, and the answer to whoever waits for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from chassis.crypto import FieldCipher
from chassis.database import Database, UnitOfWork
from chassis.database.idempotency import Answer, Claim, Idempotency, IdempotencyScope
from chassis.telemetry.logs import get_logger
from chassis.tenancy import on_behalf_of
from kernel import Clock, CobroError

from sales.sales import presentation, repository, settlement
from sales.sales.models import Sale
from sales.sales.peers import Inventory, Payments
from sales.sales.status import SaleStatus, Step
from sales.settings import SalesSettings

log = get_logger(__name__)

Write = Callable[[UnitOfWork, Sale], Awaitable[None]]

_RETRY_AT_MOST = 60.0


class SagaContext(Protocol):
    """What the saga needs of the service's context."""

    @property
    def settings(self) -> SalesSettings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def cipher(self) -> FieldCipher: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def inventory(self) -> Inventory: ...
    @property
    def payments(self) -> Payments: ...


@dataclass(slots=True)
class Turn:
    """Where a step left the sale. error: what the caller is told. answer: stored under the caller's Idempotency-Key.
    pause: nothing more can be done now."""

    sale: Sale
    error: CobroError | None = None
    answer: Answer | None = None
    pause: bool = False


async def then(ctx: SagaContext, sale: Sale, write: Write) -> Turn:
    """Write a step's result if the sale still is at that step, and answer the request that waits for it."""

    async def work(unit: UnitOfWork) -> Turn:
        current = await repository.lock(unit, sale.id)
        assert current is not None
        if current.step == sale.step:
            await write(unit, current)
        return Turn(current, answer=await _answer_caller(ctx, unit, current))

    # The key is the seller's, whoever carries the sale on.
    with on_behalf_of(sale.created_by):
        return await ctx.database.run(work)


async def _answer_caller(ctx: SagaContext, unit: UnitOfWork, sale: Sale) -> Answer | None:
    """Once the sale can be shown, its answer is stored under the caller's key; once it is off, the key is free."""
    if sale.idempotency_owner is None:
        return None
    scope, claim = _claim(sale)
    if sale.status == SaleStatus.CANCELED:
        sale.idempotency_owner = None
        await ctx.idempotency.forget(unit, scope, claim)
        return None
    if sale.status == SaleStatus.PENDING_PAYMENT and sale.step != Step.AWAITING_PAYMENT:
        return None
    sale.idempotency_owner = None
    answer = presentation.answer(sale, ctx.cipher, 201)
    await ctx.idempotency.finish(unit, scope, claim, answer)
    return answer


async def give_up(
    ctx: SagaContext,
    sale: Sale,
    reason: str,
    error: CobroError,
    *,
    payment_status: str | None = None,
    pause: bool = False,
) -> Turn:
    """No sale, unless another driver has got further meanwhile; the caller is told the error. pause: the goods are left
    to the resumer, because the catalogue does not answer."""

    async def write(unit: UnitOfWork, current: Sale) -> None:
        current.payment_status = payment_status
        lease = timedelta(0) if pause else ctx.settings.lease
        settlement.cancel(unit, current, reason, ctx.clock.now(), lease)

    turn = await then(ctx, sale, write)
    if turn.sale.status != SaleStatus.CANCELED:
        # Another driver was more fortunate with the same step.
        return turn
    return Turn(turn.sale, error=error, pause=pause)


async def later(ctx: SagaContext, sale: Sale, error: CobroError, *, told: bool = True) -> Turn:
    """The outcome is not known: the resumer asks again, and so may the caller, with the same key."""
    log.warning("sale.step_postponed", sale_id=str(sale.id), step=sale.step, code=error.code)

    async def work(unit: UnitOfWork) -> Turn:
        current = await repository.lock(unit, sale.id)
        assert current is not None
        if current.step == sale.step:
            wait = min(2.0**current.resume_attempts, _RETRY_AT_MOST)
            current.resume_at = ctx.clock.now() + timedelta(seconds=wait)
            if current.idempotency_owner is not None:
                scope, claim = _claim(current)
                await ctx.idempotency.release(unit, scope, claim)
            return Turn(current, error=error if told else None, pause=True)
        return Turn(current)

    with on_behalf_of(sale.created_by):
        return await ctx.database.run(work)


def moving(ctx: SagaContext, step: Step) -> Write:
    async def write(unit: UnitOfWork, current: Sale) -> None:
        current.move(step)
        current.resume_at = None if step is Step.SETTLED else ctx.clock.now() + ctx.settings.lease

    return write


def _claim(sale: Sale) -> tuple[IdempotencyScope, Claim]:
    assert sale.idempotency_owner is not None
    scope = IdempotencyScope(sale.created_by, sale.idempotency_route or "", sale.idempotency_key, b"")
    return scope, Claim(sale.idempotency_owner, sale.id)
