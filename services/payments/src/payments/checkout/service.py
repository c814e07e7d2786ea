"""A buyer on the way to the provider's page, where only a form leads there.

The caller has no account. The key in the address is the right to this one payment: to see whose it is and how it
stands, and, while it is open, to be sent on with a form that is built anew for each visit.
"""

from __future__ import annotations

from dataclasses import dataclass

from chassis.directory import Business
from chassis.tenancy import everyone, only
from kernel import NotFound
from psp.provider import CheckoutForm, PaymentMethod, ProviderNotConfigured, ProviderRejected

from payments.context import PaymentsContext
from payments.intents import drafts, links, repository
from payments.intents.models import Payment
from payments.intents.status import Step


@dataclass(frozen=True, slots=True)
class Visit:
    """form: of a provider that is reached by one, None once the payment is not to be paid any more. waiting: the buyer
    has been sent elsewhere, and nobody knows yet what came of it."""

    payment: Payment
    business: Business
    form: CheckoutForm | None
    waiting: bool = False


async def visit(ctx: PaymentsContext, key: str) -> Visit:
    """Raises NotFound."""
    payment_id = links.payment_of(ctx.blind_index, key)
    payment = None
    if payment_id is not None:
        # A key does not say whose it is.
        with everyone():
            payment = await repository.find(ctx.database, payment_id)
    if payment is None:
        raise NotFound("There is no such payment", code="payment_not_found")
    with only(payment.business_id):
        business = await ctx.directory.business(payment.business_id)
        open_still = (
            payment.step is Step.PENDING and payment.disputed_at is None and payment.cancel_requested_at is None
        )
        by_bank = payment.method == PaymentMethod.BANK_TRANSFER
        return Visit(payment, business, await _form(ctx, payment), waiting=by_bank and open_still)


async def _form(ctx: PaymentsContext, payment: Payment) -> CheckoutForm | None:
    """The provider cannot end what is open at its page, so that nobody is sent there whom we no longer wait for."""
    ended = payment.disputed_at is not None or payment.cancel_requested_at is not None
    if payment.step is not Step.PENDING or ended or ctx.clock.now() >= payment.expires_at:
        return None
    try:
        provider = await ctx.accounts.of(payment)
        return provider.checkout_form(drafts.request_of(ctx, provider, payment))
    except (ProviderRejected, ProviderNotConfigured):
        return None
