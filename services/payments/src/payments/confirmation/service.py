"""Confirming a payment by hand, where there is no money: by the same state machine, under the same lock."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.settings import Environment
from chassis.telemetry.logs import get_logger

from payments.confirmation import errors
from payments.context import PaymentsContext
from payments.intents import repository, status
from payments.intents.models import Payment
from payments.intents.moves import Cause, Change
from payments.intents.service import payment_for
from payments.intents.status import UNSENT, Evidence

log = get_logger(__name__)


async def authorize(ctx: PaymentsContext, caller: Principal, payment_id: UUID) -> Payment:
    """Raises Forbidden (no administrator, or not in test mode), NotFound."""
    if not caller.is_admin:
        raise errors.admins_only()
    if ctx.settings.common.environment is Environment.PRODUCTION:
        raise errors.not_in_test_mode()
    return await payment_for(ctx, caller, payment_id)


async def confirm(
    ctx: PaymentsContext, unit: UnitOfWork, caller: Principal, payment: Payment, reason: str | None
) -> Payment:
    """Take it as paid. One that is paid already, or refunded since, stays as it is.

    Raises Conflict: nobody can give back what a provider does not know, nor settle what it knows otherwise.
    """
    locked = await repository.lock(unit.session, payment.id)
    if locked.step in UNSENT:
        raise errors.not_confirmable()
    if locked.disputed_at is not None:
        raise errors.disputed()
    change = Change(locked, Cause.MANUAL, ctx.clock.now(), ctx.providers.pace_of(locked.provider))
    detail = {"by": str(caller.user_id)} | ({"reason": reason} if reason else {})
    for step in status.path(locked.step, Evidence.PAID):
        change.move(step, detail=detail)
    if not change.moved:
        return locked
    log.warning("payment.confirmed_by_hand", payment_id=str(payment.id), user_id=str(caller.user_id))
    return await change.save(unit)
