"""The provider's payments of a day against ours: what is missing, extra or different, and its repair.

Where the provider lists its payments, its list is compared with ours. Where it does not, ours are read one by one, each
of that day once and one after the other: what is missing or different is found all the same, and what is extra is not.

Repair is nothing of its own: the payment is read again at the provider like after a webhook (resolution.examine), and
its state machine decides. A run is a row before it is begun, so that a process which dies leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from kernel import new_id
from psp.listing import ListsPayments
from psp.provider import FetchedPayment, PaymentNotFound, PaymentProvider, ProviderNotConfigured

from payments import metrics
from payments.context import PaymentsContext
from payments.intents.models import Payment
from payments.intents.moves import Cause
from payments.reconciliation import comparison, errors, repository
from payments.reconciliation.models import Difference, Kind, Run, RunStatus
from payments.resolution import service as resolution

log = get_logger(__name__)

# The provider's clock, and a creation that was resumed: what belongs to a day of ours may be listed around it.
_BEFORE: Final = timedelta(minutes=10)
_AFTER: Final = timedelta(hours=1)
_WINDOW: Final = timedelta(hours=1)
_SETTLING: Final = timedelta(hours=2)
_TRY_AGAIN: Final = timedelta(minutes=10)
_GIVE_UP: Final = timedelta(days=1)
_BATCH: Final = 500
_FIRST: Final = UUID(int=0)


def require_admin(caller: Principal) -> None:
    """Raises Forbidden."""
    if not caller.is_admin:
        raise errors.admins_only()


async def request(ctx: PaymentsContext, unit: UnitOfWork, provider: str, day: date) -> Run:
    """A run that begins in a moment. Raises RuleViolation."""
    now = ctx.clock.now()
    if provider not in _in_use(ctx):
        raise errors.not_in_use(provider)
    if now < _end_of(day):
        raise errors.not_over()
    run = _new(provider, day, "request", now)
    await repository.add(unit.session, run)
    return run


async def run_for(ctx: PaymentsContext, run_id: UUID) -> Run:
    """Raises NotFound."""
    run = await repository.find(ctx.database, run_id)
    if run is None:
        raise errors.not_found()
    return run


async def schedule(ctx: PaymentsContext) -> None:
    """Yesterday, once it has settled, of every provider."""
    now = ctx.clock.now()
    day = (now - _SETTLING).date() - timedelta(days=1)
    for provider in _in_use(ctx):
        await repository.schedule(ctx.database, _new(provider, day, "schedule", now))


async def run_due(ctx: PaymentsContext) -> int:
    """Carry out what is due, one after the other; returns how many those were."""
    count = 0
    while (run := await repository.due(ctx.database, ctx.clock.now())) is not None:
        count += 1
        await _carry_out(ctx, run)
    return count


async def measure(ctx: PaymentsContext) -> None:
    """For the alerts."""
    for provider in _in_use(ctx):
        last = await repository.last_day(ctx.database, provider)
        if last is None:
            continue
        day, unsettled = last
        age = (ctx.clock.now() - _end_of(day)).total_seconds()
        metrics.reconciled_age_seconds.labels(provider).set(age)
        for kind in Kind:
            metrics.unreconciled.labels(provider, kind.value).set(unsettled.get(kind.value, 0))


async def _carry_out(ctx: PaymentsContext, run: Run) -> None:
    now = ctx.clock.now()
    try:
        work = _Comparison(ctx, run)
        await work.compare()
    except resolution.UNREACHABLE as error:
        given_up = now - run.created_at >= _GIVE_UP or isinstance(error, ProviderNotConfigured)
        status = RunStatus.FAILED if given_up else RunStatus.PENDING
        await repository.change(
            ctx.database, run.id, {"status": status.value, "failure": error.code, "due_at": now + _TRY_AGAIN}
        )
        log.warning("reconciliation.unread", provider=run.provider, day=str(run.day), code=error.code)
        return
    values: dict[str, Any] = {
        "status": RunStatus.DONE.value,
        "failure": None,
        "ours": work.ours,
        "theirs": work.theirs,
        "finished_at": ctx.clock.now(),
    }
    await repository.change(ctx.database, run.id, values, work.found)
    log.info("reconciliation.done", provider=run.provider, day=str(run.day), differences=len(work.found))


class _Comparison:
    """One try of one run. Raises what a provider that cannot be asked raises."""

    def __init__(self, ctx: PaymentsContext, run: Run) -> None:
        self._ctx = ctx
        self._run = run
        self._provider = ctx.providers.named(run.provider)
        self._seen: set[str] = set()
        self.found: list[Difference] = []
        self.ours = 0
        self.theirs = 0

    async def compare(self) -> None:
        provider: PaymentProvider = self._provider
        begin, end = _begin_of(self._run.day), _end_of(self._run.day)
        if not isinstance(provider, ListsPayments):
            await self._ours(begin, end, self._read)
            return
        at = begin - _BEFORE
        while at < end + _AFTER:
            until = min(at + _WINDOW, end + _AFTER)
            await self._theirs(await provider.list_payments(at, until))
            at = until
        await self._ours(begin, end, self._look_for)

    async def _theirs(self, listed: Sequence[FetchedPayment]) -> None:
        """Each of theirs beside ours."""
        # Two windows share the second where they meet.
        fresh = [seen for seen in listed if seen.provider_ref not in self._seen]
        self._seen |= {seen.provider_ref for seen in fresh}
        self.theirs += len(fresh)
        refs, ids = [seen.provider_ref for seen in fresh], [_id_of(seen) for seen in fresh]
        known = await repository.known(self._ctx.database, self._run.provider, refs, [id for id in ids if id])
        by_ref = {payment.provider_ref: payment for payment in known}
        by_id = {payment.id: payment for payment in known}
        for seen, our_id in zip(fresh, ids, strict=True):
            payment = by_ref.get(seen.provider_ref) or (by_id.get(our_id) if our_id else None)
            if payment is None:
                if comparison.is_paid(seen):
                    self._report(Kind.EXTRA, None, seen.provider_ref, seen, ("payment",), repaired=False)
            elif comparison.differing(payment, seen):
                await self._settle(payment, seen.provider_ref)

    async def _ours(self, begin: datetime, end: datetime, each: Callable[[Payment, str], Awaitable[None]]) -> None:
        """Those of ours that the provider has answered for, each with its reference there."""
        after = _FIRST
        while batch := await repository.ours(self._ctx.database, self._run.provider, begin, end, after, _BATCH):
            after = batch[-1].id
            self.ours += len(batch)
            for payment in batch:
                assert payment.provider_ref is not None
                await each(payment, payment.provider_ref)

    async def _look_for(self, payment: Payment, provider_ref: str) -> None:
        if provider_ref not in self._seen:
            await self._settle(payment, provider_ref)

    async def _read(self, payment: Payment, provider_ref: str) -> None:
        try:
            seen = await self._provider.fetch_payment(provider_ref)
        except PaymentNotFound:
            self._report(Kind.MISSING, payment, provider_ref, None, ("payment",), repaired=False)
            return
        self.theirs += 1
        if comparison.differing(payment, seen):
            await self._settle(payment, provider_ref)

    async def _settle(self, payment: Payment, provider_ref: str) -> None:
        """Read it again, take what follows, and see what is left of the difference."""
        with only(payment.business_id):
            after = await resolution.examine(self._ctx, payment, Cause.RECONCILIATION, provider_ref=provider_ref)
        try:
            seen = await self._provider.fetch_payment(provider_ref)
        except PaymentNotFound:
            self._report(Kind.MISSING, after, provider_ref, None, ("payment",), repaired=False)
            return
        remaining = comparison.differing(after, seen)
        moved = after.step is not payment.step or after.refunded != payment.refunded
        if remaining or moved:
            fields = remaining or ("status",)
            self._report(Kind.DIFFERENT, payment, provider_ref, seen, fields, repaired=not remaining)

    def _report(
        self,
        kind: Kind,
        payment: Payment | None,
        provider_ref: str,
        seen: FetchedPayment | None,
        fields: tuple[str, ...],
        *,
        repaired: bool,
    ) -> None:
        if payment is not None:
            currency = payment.currency
        else:
            assert seen is not None
            currency = seen.amount.currency.value
        self.found.append(
            Difference(
                id=new_id(),
                reconciliation_id=self._run.id,
                kind=kind.value,
                payment_id=payment.id if payment else None,
                provider_ref=provider_ref,
                fields=",".join(fields),
                our_status=payment.public_status.value if payment else None,
                their_status=seen.status.value if seen else None,
                our_amount=payment.amount if payment else None,
                their_amount=seen.amount.decimal if seen else None,
                currency=currency,
                repaired=repaired,
            )
        )


def _in_use(ctx: PaymentsContext) -> list[str]:
    return [provider.name for provider in ctx.providers.all()]


def _new(provider: str, day: date, origin: str, now: datetime) -> Run:
    return Run(
        id=new_id(),
        provider=provider,
        day=day,
        origin=origin,
        status=RunStatus.PENDING.value,
        created_at=now,
        due_at=now,
    )


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: date) -> datetime:
    return _begin_of(day) + timedelta(days=1)


def _id_of(seen: FetchedPayment) -> UUID | None:
    try:
        return UUID(seen.our_reference or "")
    except ValueError:
        return None
