"""A buyer at a printed code or a link: what there is to pay, and the way to the provider's page.

The caller has no account. The key in the address is the right to see the name of the business and what is open at this
one counter, and to open a payment to it; from the moment it is found, the request sees that business alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

import orjson
from chassis.database.idempotency import IdempotencyScope
from chassis.directory import Business
from chassis.tenancy import everyone, only
from kernel import NotFound, RuleViolation, Unavailable
from psp.provider import Bank, BuyerDevice, PaymentMethod

from payments.context import PaymentsContext
from payments.counter import errors, repository
from payments.counter.form import Form
from payments.intents import drafts
from payments.intents import service as intents
from payments.intents.drafts import PaymentDraft
from payments.intents.models import Payment
from payments.intents.payers import Buyer
from payments.methods import errors as method_errors
from payments.methods import repository as methods
from payments.methods.models import Method

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Counter:
    """open: the sale the till has opened there."""

    method: Method
    business: Business
    open: Payment | None

    @contextmanager
    def scope(self) -> Iterator[None]:
        with only(self.business.id):
            yield


async def counter_of(ctx: PaymentsContext, key: str) -> Counter:
    """Raises NotFound: no such code, no longer used, or its business is closed."""
    if not _KEY.fullmatch(key):
        raise method_errors.method_not_found()
    # A code does not say whose it is.
    with everyone():
        method = await methods.find_by_key(ctx.database, key)
    if method is None or not method.is_active or not method.has_page:
        raise method_errors.method_not_found()
    with only(method.business_id):
        business = await ctx.directory.business(method.business_id)
        if not business.is_active:
            raise NotFound("Business not found", code="business_not_found")
        found = None
        if method.kind is PaymentMethod.QR_STATIC:
            found = await repository.open_payment(ctx.database, method.id, ctx.clock.now())
    return Counter(method, business, found)


async def banks(ctx: PaymentsContext, counter: Counter) -> tuple[Bank, ...]:
    """From which the buyer may pay without the provider's page. None where there is no such way, where the list cannot
    be had, and for a sale that the till has opened: its payment leads to a page already."""
    if counter.open is not None:
        return ()
    with counter.scope():
        try:
            chosen = await drafts.provider_for(ctx, counter.business, PaymentMethod.BANK_TRANSFER)
            found = await ctx.banks.of(chosen.provider)
        except (RuleViolation, Unavailable):
            return ()
    return tuple(sorted(found, key=lambda bank: bank.name))


async def way_to_pay(ctx: PaymentsContext, counter: Counter, form: Form, device: BuyerDevice) -> str:
    """The address of the provider's page, or of the buyer's bank: of the open sale that the buyer was shown, or of a
    payment of the amount they entered. The same form sent twice is one payment. device: the buyer's browser.

    Raises InvalidInput, Conflict (it is not open any more), RateLimited, and what `create_payment` raises.
    """
    with counter.scope():
        if form.payment_id is not None:
            if counter.open is None or counter.open.id != form.payment_id or counter.open.payment_link is None:
                raise errors.not_open()
            return counter.open.payment_link
        return await _opened(ctx, counter, form, device)


async def _opened(ctx: PaymentsContext, counter: Counter, form: Form, device: BuyerDevice) -> str:
    method, business = counter.method, counter.business
    amount, note = form.amount(business.currency), form.checked_note()
    buyer = form.payer.buyer(business.country, device) if form.payer else Buyer()
    most = ctx.settings.counter_per_minute
    if await repository.begun(ctx.database, method.id, ctx.clock.now(), _MINUTE, most) >= most:
        raise errors.too_many()
    draft = PaymentDraft(
        business_id=business.id,
        amount=amount,
        method=PaymentMethod.BANK_TRANSFER if form.payer else method.kind,
        description=note or method.name,
        buyer=buyer,
        payment_method_id=method.id,
        self_service=True,
        # Nobody's token is at hand, so that it is held to what may be asked for by anybody.
        kyc_level=0,
    )
    # The browser may be another one the second time; what it asks for may not.
    asked = [str(amount), note or "", *(astuple(form.payer) if form.payer else ())]
    fingerprint = sha256("\n".join(asked).encode()).digest()
    scope = IdempotencyScope(business.id, f"pay {method.id}", form.token, fingerprint)
    answer = await intents.create_payment(ctx, draft, scope, _address)
    return str(orjson.loads(answer.body)["address"])


def _address(payment: Payment) -> bytes:
    return orjson.dumps({"address": payment.payment_link})
