"""The use cases of payments: create, read, list, cancel.

Creating is claim, call, finish. One statement claims the idempotency key and writes the payment; the provider is called
outside of any transaction, with the payment's id as its reference; one statement writes what came of it, with event and
answer. A process that dies in between leaves a payment that the next try with the key, a webhook or the resolver
completes by reading the provider. An unanswered call is looked up once at once; where that does not tell, the caller
gets 503 `payment_outcome_unknown`, the payment stays PENDING, and repeating the request with its key resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
from chassis.auth import Permission, Principal
from chassis.bus.outbox import outbox_parameters
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, Claim, IdempotencyScope
from kernel import InvalidInput, NotFound, RuleViolation, new_id
from psp.provider import (
    FetchedPayment,
    Instructions,
    OutcomeUnknown,
    PaymentProvider,
    ProviderError,
    ProviderStatus,
    ProviderUnavailable,
)
from sqlalchemy.exc import IntegrityError

from payments import metrics
from payments.accounts.providers import Chosen
from payments.context import PaymentsContext
from payments.intents import drafts, errors, events, instructions, repository, schedule
from payments.intents.drafts import PaymentDraft
from payments.intents.models import Payment
from payments.intents.moves import Cause
from payments.intents.status import UNSENT, WAITING, Step
from payments.resolution import service as resolution

Present = Callable[[Payment], bytes]
"""A payment as the body of an answer, in the protocol of whoever asked."""

# A creation that the provider is known not to have is sent again only when the first cannot be on its way any more.
_SEND_AGAIN_AFTER: Final = timedelta(seconds=60)
_SALE_TAKEN: Final = "uq_payments_sale"


async def create_payment(
    ctx: PaymentsContext, draft: PaymentDraft, scope: IdempotencyScope, present: Present
) -> Answer:
    """Raises RuleViolation (a rule of ours, or the provider's refusal), Conflict (key in use, or the sale has a
    payment), NotFound (no such business), Unavailable (nothing happened, or code payment_outcome_unknown)."""
    try:
        payment, chosen = await drafts.prepare(ctx, draft, from_memory=True)
    except (InvalidInput, RuleViolation):
        # Perhaps only by what was remembered of the business's accounts.
        payment, chosen = await drafts.prepare(ctx, draft)
    claim, opened = await _claim(ctx, scope, payment, chosen)
    if not opened and await ctx.accounts.changed_since(payment.business_id, chosen.among):
        payment, chosen = await drafts.prepare(ctx, draft)
        claim, opened = await _claim(ctx, scope, payment, chosen)
    if not opened:
        again = await _claim_again(ctx, scope, payment)
        if isinstance(again, Answer):
            return again
        claim = again
    work = _Submission(ctx, chosen.provider, scope, claim, present)
    return await (work.resume() if claim.resumed else work.submit(payment))


async def _claim(ctx: PaymentsContext, scope: IdempotencyScope, payment: Payment, chosen: Chosen) -> tuple[Claim, bool]:
    """Whether key and payment have been written: not where the key was used before, or where the business's accounts
    are others than the payment's was chosen from."""
    parameters = repository.opening(payment) | {"chosen_among": chosen.among}
    claim = Claim(new_id(), payment.id)
    if scope.key is not None:
        claim, held = ctx.idempotency.claiming(scope, payment.id)
        parameters |= held
    with _one_of_a_sale():
        return claim, await repository.claim_and_open(ctx.database, parameters, keyed=scope.key is not None)


@contextmanager
def _one_of_a_sale() -> Iterator[None]:
    try:
        yield
    except (asyncpg.UniqueViolationError, IntegrityError) as error:
        if _SALE_TAKEN in str(error):
            raise errors.sale_has_payment() from None
        raise


async def _claim_again(ctx: PaymentsContext, scope: IdempotencyScope, payment: Payment) -> Claim | Answer:
    """A key that was there: its stored answer, the right to resume, or, if it has just been forgotten, to begin."""

    async def claim(unit: UnitOfWork) -> Claim | Answer:
        claimed = await ctx.idempotency.claim(unit, scope, payment.id)
        if isinstance(claimed, Claim) and not claimed.resumed:
            await repository.open_in(unit.session, repository.opening(payment))
        return claimed

    with _one_of_a_sale():
        return await ctx.database.run(claim)


class _Submission:
    """The part of a creation that comes after the claim."""

    def __init__(
        self,
        ctx: PaymentsContext,
        provider: PaymentProvider,
        scope: IdempotencyScope,
        claim: Claim,
        present: Present,
    ) -> None:
        self._ctx = ctx
        self._provider = provider
        self._scope = scope
        self._claim = claim
        self._present = present

    async def submit(self, payment: Payment, cause: Cause = Cause.REQUEST) -> Answer:
        try:
            created = await self._provider.create_payment_intent(drafts.request_of(self._ctx, self._provider, payment))
        except OutcomeUnknown as error:
            found = await self._look_up(payment)
            if found is None or found.instructions is None:
                await self._leave_open(payment, cause, error)
                raise errors.outcome_unknown(payment.id) from None
            return await self._accept(payment, cause, found.provider_ref, found.status, found.instructions)
        except ProviderError as error:
            await self._refuse(payment, cause, error)
            raise errors.refusal(error) from None
        return await self._accept(payment, cause, created.provider_ref, created.status, created.instructions)

    async def resume(self) -> Answer:
        """An earlier try with this key did not come to its end."""
        payment = await self._current()
        if payment.step in UNSENT:
            try:
                # The business may have another account by now than when the first try was made.
                self._provider = await self._ctx.accounts.of(payment)
                payment = await resolution.examine(self._ctx, payment, Cause.RETRY)
            except resolution.UNREACHABLE as error:
                await self._leave_open(payment, Cause.RETRY, error)
                raise errors.outcome_unknown(payment.id) from None
        if payment.step in UNSENT and payment.cancel_requested_at is None:
            again = await self._take_again(payment)
            if again is not None:
                return await self.submit(again, Cause.RETRY)
            await self._leave_open(payment, Cause.RETRY, None)
            raise errors.outcome_unknown(payment.id)
        return await self._answer_with(payment)

    async def _look_up(self, payment: Payment) -> FetchedPayment | None:
        try:
            found = await self._provider.find_payment(str(payment.id))
        except (ProviderUnavailable, OutcomeUnknown):
            return None
        return found if found is not None and found.amount == payment.money else None

    async def _accept(
        self, payment: Payment, cause: Cause, provider_ref: str, seen: ProviderStatus, how: Instructions
    ) -> Answer:
        now = self._ctx.clock.now()
        pace = self._ctx.providers.pace_of(payment.provider)
        due = schedule.next_reading(Step.PENDING, 0, now, payment.expires_at, pace)
        after = replace(
            payment,
            status=Step.PENDING.value,
            provider_ref=provider_ref,
            # Anything but "waiting for the buyer" is taken from a reading, not from the answer to a creation.
            next_poll_at=due if seen is ProviderStatus.PENDING else now,
            updated_at=now,
            version=payment.version + 1,
            **instructions.columns(how),
        )
        answer = Answer(201, self._present(after))
        parameters = {
            "provider_ref": provider_ref,
            "qr_content": after.qr_content,
            "payment_link": after.payment_link,
            "transfer": drafts.json_text(after.transfer),
            "next_poll_at": after.next_poll_at,
            **self._entry(payment, Step.PENDING, cause, {"status": seen.value}),
            **outbox_parameters(events.created(after), now),
            **self._ctx.idempotency.finishing(self._scope, self._claim, answer),
        }
        if not await repository.accepted(self._ctx.database, parameters):
            return await self._answer_with(await self._current())
        self._ctx.database.wake_relay()
        metrics.outcomes.labels(payment.provider, "accepted").inc()
        return answer

    async def _leave_open(self, payment: Payment, cause: Cause, error: ProviderError | None) -> None:
        now = self._ctx.clock.now()
        parameters = {
            "next_poll_at": schedule.next_reading(
                Step.UNKNOWN, 0, now, payment.expires_at, self._ctx.providers.pace_of(payment.provider)
            ),
            **self._entry(payment, Step.UNKNOWN, cause, {"error": error.code if error else "absent"}),
            **self._ctx.idempotency.holding(self._scope, self._claim),
        }
        await repository.unanswered(self._ctx.database, parameters)
        metrics.outcomes.labels(payment.provider, "unknown").inc()

    async def _refuse(self, payment: Payment, cause: Cause, error: ProviderError) -> None:
        reason = errors.failure_reason(error)
        parameters = {
            "failure_reason": reason,
            **self._entry(payment, Step.FAILED, cause, {"error": error.code}),
            **self._ctx.idempotency.holding(self._scope, self._claim),
        }
        await repository.refused(self._ctx.database, parameters)
        metrics.outcomes.labels(payment.provider, reason).inc()

    async def _take_again(self, payment: Payment) -> Payment | None:
        ctx, now = self._ctx, self._ctx.clock.now()
        # What nobody can find there nobody was told how to pay either: a second one does no harm.
        wait = _SEND_AGAIN_AFTER if self._provider.capabilities.finds_by_reference else timedelta()
        if now - payment.submitted_at < wait or now >= payment.expires_at:
            return None

        async def take(unit: UnitOfWork) -> bool:
            return await repository.resend(unit.session, payment, now, schedule.IN_FLIGHT)

        return await self._current() if await ctx.database.run(take) else None

    async def _answer_with(self, payment: Payment) -> Answer:
        answer = Answer(201, self._present(payment))

        async def finish(unit: UnitOfWork) -> None:
            # Without effect where another try holds the key by now: it will find the same payment.
            await self._ctx.idempotency.finish(unit, self._scope, self._claim, answer)

        await self._ctx.database.run(finish)
        return answer

    async def _current(self) -> Payment:
        payment = await repository.find(self._ctx.database, self._claim.resource_id)
        assert payment is not None, "an idempotency key without its payment"
        return payment

    def _entry(self, payment: Payment, to: Step, cause: Cause, detail: dict[str, Any]) -> repository.Parameters:
        return {
            "id": payment.id,
            "version": payment.version,
            "now": self._ctx.clock.now(),
            "entry_id": new_id(),
            "entry_kind": "attempt",
            "entry_cause": cause.value,
            "entry_from": payment.status,
            "entry_to": to.value,
            "entry_detail": drafts.json_text(detail),
        }


async def payment_for(
    ctx: PaymentsContext, caller: Principal, payment_id: UUID, permission: Permission = Permission.READ
) -> Payment:
    """Raises NotFound, the same for an absent payment and for another tenant's; Forbidden."""

    async def find() -> Payment:
        found = await repository.find(ctx.database, payment_id)
        if found is None:
            raise errors.payment_not_found()
        return found

    payment = await ctx.access.find(caller, find)
    try:
        await ctx.access.require(caller, payment.business_id, permission)
    except NotFound:
        raise errors.payment_not_found() from None
    return payment


async def payment_of(ctx: PaymentsContext, business_id: UUID, payment_id: UUID) -> Payment:
    """For another service, which has checked its caller. Raises NotFound."""
    payment = await repository.find(ctx.database, payment_id, business_id=business_id)
    if payment is None:
        raise errors.payment_not_found()
    return payment


async def cancel_payment(ctx: PaymentsContext, payment: Payment) -> Payment:
    """Ask the provider to stop waiting. The payment comes back FAILED; or as it is, when it was paid or refunded
    before; or PENDING, when the provider cannot be asked now: the wish is recorded, and the resolver carries it out."""
    if payment.step not in WAITING:
        return payment
    now = ctx.clock.now()

    async def record(unit: UnitOfWork) -> None:
        await repository.request_cancel(unit.session, payment.id, now)

    await ctx.database.run(record)
    wished = replace(payment, cancel_requested_at=payment.cancel_requested_at or now)
    try:
        if wished.provider_ref is None or wished.disputed_at is not None:
            return await resolution.examine(ctx, wished, Cause.CANCEL)
        return await resolution.stop_waiting(ctx, wished)
    except resolution.UNREACHABLE:
        return await payment_of(ctx, payment.business_id, payment.id)
