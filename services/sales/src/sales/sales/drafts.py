"""A sale before it exists: what was asked for, checked against the business, and the row that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, assert_never
from uuid import UUID

from chassis.auth import Principal
from chassis.crypto import FieldCipher
from chassis.directory import Branch, Business
from kernel import Currency, InvalidInput, Money, MoneyError
from starlette.requests import Request

from sales.sales import presentation
from sales.sales.models import Sale
from sales.sales.schemas import DeviceIn, DiscountIn, PartIn, PaymentIn, SaleIn, customer_fields
from sales.sales.status import PaymentMethod, SaleStatus, Step
from sales.settings import SalesSettings

_MOST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a request came from; empty where that is not known."""

    ip_address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class OfflineSale:
    """What a till says of a sale it made while it was offline.

    sold_at: when the buyer left with the goods. till: the till, which numbers its sales. total: what it charged, before
    cash rounding. content: a keyed hash of all it said.
    """

    sold_at: datetime
    till: str
    sequence: int
    total: Decimal | None
    content: bytes


@dataclass(frozen=True, slots=True)
class SaleDraft:
    """kyc_level: of the seller's token, None for an administrator. register_id: the drawer that was named.
    offline: of a sale that took place before; then nothing is refused for want of stock. Amounts are in the business's
    currency."""

    seller_id: UUID
    business: Business
    branch: Branch
    basket: dict[str, Any]
    method: PaymentMethod
    tendered: Decimal | None
    register_id: UUID | None
    pays_cash: bool
    expires_in: int | None
    bank_code: str | None
    device: dict[str, str] | None
    kyc_level: int | None
    customer: dict[str, Any] | None
    notes: str | None
    offline: OfflineSale | None = None

    @property
    def sold_at(self) -> datetime | None:
        return self.offline.sold_at if self.offline else None


def draft_of(
    settings: SalesSettings,
    caller: Principal,
    body: SaleIn,
    business: Business,
    branch: Branch,
    *,
    browser: Browser,
    offline: OfflineSale | None = None,
) -> SaleDraft:
    """Raises InvalidInput for an amount that is none in the business's currency."""
    currency = business.currency
    if offline is not None:
        _amount("total", offline.total, currency)
    cash, other = body.part(cash=True), body.part(cash=False)
    main = other or cash
    assert main is not None
    return SaleDraft(
        seller_id=caller.user_id,
        business=business,
        branch=branch,
        basket=_basket(body, currency),
        method=main.method,
        tendered=_amount("payment.tendered", cash.tendered, currency) if cash else None,
        register_id=cash.cash_register_id if cash else None,
        pays_cash=cash is not None,
        expires_in=_lifetime(settings, main),
        bank_code=main.bank_code,
        device=_device(main, browser),
        kyc_level=None if caller.is_admin else caller.kyc_level,
        customer=customer_fields(body.customer),
        notes=body.notes or None,
        offline=offline,
    )


def new_sale(cipher: FieldCipher, draft: SaleDraft, sale_id: UUID, cash_session_id: UUID | None, now: datetime) -> Sale:
    """Before its first step; nobody has been told to carry it on yet."""
    offline = draft.offline
    return Sale(
        id=sale_id,
        business_id=draft.business.id,
        branch_id=draft.branch.id,
        created_by=draft.seller_id,
        status=SaleStatus.PENDING_PAYMENT,
        version=1,
        created_at=now,
        updated_at=now,
        sold_at=draft.sold_at,
        till=offline.till if offline else None,
        till_sequence=offline.sequence if offline else None,
        till_total=offline.total if offline else None,
        till_content=offline.content if offline else None,
        basket=draft.basket,
        customer=presentation.seal_customer(cipher, sale_id, draft.customer),
        notes=draft.notes,
        currency=draft.business.currency.value,
        time_zone=draft.business.time_zone,
        payment_method=draft.method,
        cash_amount=Decimal(0),
        rounding=Decimal(0),
        cash_session_id=cash_session_id,
        tendered=draft.tendered,
        expires_in=draft.expires_in,
        bank_code=draft.bank_code,
        device=presentation.seal_device(cipher, sale_id, draft.device),
        kyc_level=draft.kyc_level,
        step=Step.RESERVING,
        items=[],
    )


def browser_of(request: Request) -> Browser:
    """The gateway writes X-Forwarded-For anew, so that its last entry is what the gateway itself saw."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    agent = "".join(character for character in request.headers.get("user-agent", "") if character.isprintable())
    return Browser(_address(forwarded) or _address(request.client.host if request.client else ""), agent[:_MOST_AGENT])


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        return ""


def _device(part: PaymentIn, browser: Browser) -> dict[str, str] | None:
    """Kept of a bank transfer alone: nobody else asks for it. What the request says of the buyer's device comes before
    what is known of the one that sent it."""
    if part.method is not PaymentMethod.BANK_TRANSFER:
        return None
    seen = DeviceIn(ip_address=browser.ip_address or None, user_agent=browser.user_agent or None)
    known = {**_said(seen), **(_said(part.device) if part.device else {})}
    return known or None


def _said(device: DeviceIn) -> dict[str, str]:
    return device.model_dump(mode="json", by_alias=True, exclude_none=True)


def _lifetime(settings: SalesSettings, payment: PaymentIn) -> int | None:
    """Seconds a buyer has to pay. Decided once, so that the payment is asked for in the same words however often."""
    match payment.method:
        case PaymentMethod.CASH:
            return None
        case PaymentMethod.QR_DYNAMIC | PaymentMethod.QR_STATIC:
            return payment.expires_in or settings.qr_expires_in
        case PaymentMethod.PAYMENT_LINK | PaymentMethod.BANK_TRANSFER:
            return payment.expires_in or settings.link_expires_in
        case _:
            assert_never(payment.method)


def _basket(body: SaleIn, currency: Currency) -> dict[str, Any]:
    items = [
        {
            "productId": str(item.product_id),
            "quantity": item.quantity,
            "discount": _discount(f"items.{index}.discount", item.discount, currency),
        }
        for index, item in enumerate(body.items)
    ]
    basket: dict[str, Any] = {"items": items, "discount": _discount("discount", body.discount, currency)}
    parts = _parts(body.payments or [], currency)
    return {**basket, "parts": parts} if parts else basket


def _parts(payments: list[PartIn], currency: Currency) -> dict[str, str]:
    """The amounts that were named, by "cash" and "provider". One part that is not cash leaves nothing to cash."""
    named: dict[str, str] = {}
    for index, part in enumerate(payments):
        amount = _amount(f"payments.{index}.amount", part.amount, currency)
        if amount is not None and amount == 0 and len(payments) > 1:
            raise InvalidInput.field(f"payments.{index}.amount", "must be more than zero")
        if amount is not None:
            named["cash" if part.method is PaymentMethod.CASH else "provider"] = str(amount)
    if len(payments) == 1 and "provider" in named:
        named["cash"] = "0"
    return named


def _discount(field: str, discount: DiscountIn | None, currency: Currency) -> str | dict[str, str]:
    if discount is None:
        return "0"
    if discount.percent is not None:
        return {"percent": str(discount.percent)}
    return str(_amount(field, discount.amount, currency))


def _amount(field: str, value: Decimal | None, currency: Currency) -> Decimal | None:
    if value is None:
        return None
    try:
        money = Money.of(value, currency)
    except MoneyError as error:
        raise InvalidInput.field(field, str(error)) from None
    if money.minor < 0:
        raise InvalidInput.field(field, "cannot be negative")
    return money.decimal
