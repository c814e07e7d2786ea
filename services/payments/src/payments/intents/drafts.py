"""A wish to be paid, checked against our rules and the provider's, as a payment that can be written and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from chassis.directory import Business
from kernel import InvalidInput, Money, MoneyError, new_id
from psp.capabilities import Need
from psp.provider import (
    BuyerDevice,
    IntentRequest,
    MethodNotSupported,
    PaymentMethod,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
)
from psp.registry import ADAPTERS

from payments.accounts.providers import Chosen
from payments.context import PaymentsContext
from payments.intents import errors, links, payers, schedule
from payments.intents.limits import limit_of
from payments.intents.models import Payment
from payments.intents.payers import Buyer
from payments.intents.status import Step
from payments.methods import errors as method_errors
from payments.methods import repository as methods

# The provider's page outlives our own limit a little: we decide when the time is over, and clocks differ.
_PROVIDER_GRACE: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class PaymentDraft:
    """amount in major units, in `currency` or else in the business's. expires_in: seconds, None for the default.
    payment_method_id: the one it comes by. self_service: the buyer opened it. kyc_level: of the caller, None
    for a service of ours and for an administrator.
    """

    business_id: UUID
    amount: Decimal
    method: PaymentMethod
    currency: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    buyer: Buyer = field(default_factory=Buyer)
    expires_in: int | None = None
    sale_id: UUID | None = None
    payment_method_id: UUID | None = None
    self_service: bool = False
    kyc_level: int | None = None


async def prepare(ctx: PaymentsContext, draft: PaymentDraft, *, from_memory: bool = False) -> tuple[Payment, Chosen]:
    """from_memory: as in AccountProviders.choose. Raises InvalidInput, RuleViolation, NotFound (no such business)."""
    business = await ctx.directory.business(draft.business_id)
    if not business.is_active:
        raise errors.business_inactive()
    if draft.currency not in (None, business.currency.value):
        raise errors.currency_mismatch(business.currency)
    amount = _amount(ctx, draft, business)
    payers.check_document(draft.buyer, business.country)
    chosen = await provider_for(ctx, business, draft.method, from_memory=from_memory)
    provider = chosen.provider
    payment_method_id = await _payment_method(ctx, draft)
    now = ctx.clock.now()
    lifetime = timedelta(seconds=draft.expires_in) if draft.expires_in else ctx.settings.expiry
    payment_id = new_id()
    payment = Payment(
        id=payment_id,
        business_id=business.id,
        sale_id=draft.sale_id,
        amount=amount.decimal,
        currency=amount.currency.value,
        country=business.country.value,
        time_zone=business.time_zone,
        method=draft.method.value,
        provider=provider.name,
        status=Step.SUBMITTING.value,
        description=draft.description,
        metadata=dict(draft.metadata),
        expires_at=now + lifetime,
        created_at=now,
        updated_at=now,
        submitted_at=now,
        next_poll_at=now + schedule.IN_FLIGHT,
        payment_method_id=payment_method_id,
        self_service=draft.self_service,
        account_id=chosen.account_id,
        **_sealed(ctx, payment_id, draft.buyer),
    )
    request = request_of(ctx, provider, payment, draft.buyer)
    capability = provider.capabilities.methods.get(request.method)
    if capability is not None:
        payers.check_complete(request, capability)
    try:
        provider.capabilities.check(request, now)
    except ProviderRejected as error:
        raise errors.refusal(error) from None
    if payers.offers_banks(capability):
        await ctx.banks.check(provider, request.bank)
    return payment, chosen


async def provider_for(
    ctx: PaymentsContext, business: Business, method: PaymentMethod, *, from_memory: bool = False
) -> Chosen:
    """from_memory: as in AccountProviders.choose. Raises RuleViolation."""
    country = business.country
    try:
        return await _choose(ctx, business, method, from_memory=from_memory)
    except MethodNotSupported:
        if any(adapter.country is country for adapter in ADAPTERS):
            raise errors.method_not_supported(method.value, country.value) from None
        raise errors.provider_not_available(country.value) from None
    except ProviderNotConfigured:
        raise errors.provider_not_available(country.value) from None


def request_of(
    ctx: PaymentsContext, provider: PaymentProvider, payment: Payment, buyer: Buyer | None = None
) -> IntentRequest:
    buyer = buyer_of(ctx, payment) if buyer is None else buyer
    method = asked_as(provider, PaymentMethod(payment.method))
    return IntentRequest(
        reference=payment.id,
        amount=payment.money,
        method=method,
        description=payment.description or "",
        expires_at=_expiry_there(provider, payment, method),
        customer=buyer.as_customer,
        bank=buyer.bank,
        device=buyer.device,
        page_url=_page_url(ctx, provider, payment, method),
    )


def asked_as(provider: PaymentProvider, method: PaymentMethod) -> PaymentMethod:
    """What the provider is asked for: where it has no code that stays at the counter, ours leads to a page of the
    provider's for each payment."""
    if method is PaymentMethod.QR_STATIC and method not in provider.capabilities.methods:
        return PaymentMethod.PAYMENT_LINK
    return method


def buyer_of(ctx: PaymentsContext, payment: Payment) -> Buyer:
    known = _opened(ctx, payment.customer, "customer", payment.id)
    payer = _opened(ctx, payment.payer, "payer", payment.id)
    device = payer.pop("device", None)
    return Buyer(**known, **payer, device=BuyerDevice(**device) if device else None)


def phone_index(ctx: PaymentsContext, phone: str) -> bytes:
    return ctx.blind_index.of(phone.strip(), column="payments.customer_phone")


def email_index(ctx: PaymentsContext, email: str) -> bytes:
    return ctx.blind_index.of(email.strip().lower(), column="payments.customer_email")


def json_text(value: Any) -> str | None:
    """For a JSON parameter of a statement that is text."""
    return None if value is None else orjson.dumps(value).decode()


def _amount(ctx: PaymentsContext, draft: PaymentDraft, business: Business) -> Money:
    try:
        amount = Money.of(draft.amount, business.currency)
    except MoneyError as error:
        raise InvalidInput.field("amount", str(error)) from None
    if amount.minor <= 0:
        raise InvalidInput.field("amount", "must be more than zero")
    limit = limit_of(ctx.settings, business.country, business.currency, draft.kyc_level)
    if amount > limit:
        raise errors.amount_over_limit(limit)
    return amount


async def _choose(ctx: PaymentsContext, business: Business, method: PaymentMethod, *, from_memory: bool) -> Chosen:
    try:
        return await ctx.accounts.choose(business, method, from_memory=from_memory)
    except MethodNotSupported:
        if method is not PaymentMethod.QR_STATIC:
            raise
    return await ctx.accounts.choose(business, PaymentMethod.PAYMENT_LINK, from_memory=from_memory)


async def _payment_method(ctx: PaymentsContext, draft: PaymentDraft) -> UUID | None:
    """The counter's code shows the sale that is open there. A business that has just one need not say which."""
    kind = draft.method.value
    if draft.payment_method_id is None:
        only_one = await methods.sole(ctx.database, draft.business_id, kind) if kind == "QR_STATIC" else None
        return only_one.id if only_one else None
    method = await methods.find(ctx.database, draft.payment_method_id)
    if method is None or not method.is_active or method.business_id != draft.business_id:
        raise method_errors.method_unusable()
    # At a page of ours the buyer may choose the bank instead of the provider's page.
    if method.type != kind and not (draft.self_service and method.has_page):
        raise method_errors.method_unusable()
    return method.id


def _expiry_there(provider: PaymentProvider, payment: Payment, method: PaymentMethod) -> datetime:
    """Later than ours, though not for so long that the provider would refuse it."""
    capability = provider.capabilities.methods.get(method)
    there = payment.expires_at + _PROVIDER_GRACE
    if capability is None:
        return there
    return max(payment.expires_at, min(there, payment.created_at + capability.max_expiry))


def _page_url(ctx: PaymentsContext, provider: PaymentProvider, payment: Payment, method: PaymentMethod) -> str | None:
    """Of the payment's own page: where a provider is only reached by a form it leads there, and where the buyer is sent
    to a bank it is what they come back to."""
    capability = provider.capabilities.methods.get(method)
    if capability is None or not capability.needs & {Need.PAGE, Need.BANK}:
        return None
    return links.page_url(ctx.public_url, ctx.blind_index, payment.id)


def _sealed(ctx: PaymentsContext, payment_id: UUID, buyer: Buyer) -> dict[str, Any]:
    sealed: dict[str, Any] = {}
    if buyer.name or buyer.phone or buyer.email:
        sealed = {
            "customer": _closed(
                ctx, {"name": buyer.name, "phone": buyer.phone, "email": buyer.email}, "customer", payment_id
            ),
            "customer_phone_index": phone_index(ctx, buyer.phone) if buyer.phone else None,
            "customer_email_index": email_index(ctx, buyer.email) if buyer.email else None,
        }
    payer = {
        "document_type": buyer.document_type,
        "document_number": buyer.document_number,
        "person_type": buyer.person_type,
        "bank": buyer.bank,
        "device": asdict(buyer.device) if buyer.device else None,
    }
    if any(payer.values()):
        sealed["payer"] = _closed(ctx, payer, "payer", payment_id)
    return sealed


def _closed(ctx: PaymentsContext, value: dict[str, Any], column: str, payment_id: UUID) -> str:
    return ctx.cipher.encrypt(orjson.dumps(value), context=_place(column, payment_id))


def _opened(ctx: PaymentsContext, sealed: str | None, column: str, payment_id: UUID) -> dict[str, Any]:
    if sealed is None:
        return {}
    found: dict[str, Any] = orjson.loads(ctx.cipher.decrypt_bytes(sealed, context=_place(column, payment_id)))
    return found


def _place(column: str, payment_id: UUID) -> str:
    return f"payments.{column}:{payment_id}"
