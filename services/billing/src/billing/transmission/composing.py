"""Fiscal documents out of what sales and refunds say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from contracts.sales.v1 import sales_pb2
from fiscal.document import (
    DocumentKind,
    FiscalDocument,
    Line,
    Payment,
    PaymentForm,
    Receiver,
    Reference,
    Tax,
)
from kernel import Country, Currency, Money

from billing.invoices.models import Invoice

FORMS: Final[Mapping[str, PaymentForm]] = {
    "CASH": PaymentForm.CASH,
    "CARD": PaymentForm.CARD,
    "BANK_TRANSFER": PaymentForm.TRANSFER,
    "QR_STATIC": PaymentForm.WALLET,
    "QR_DYNAMIC": PaymentForm.WALLET,
    "PAYMENT_LINK": PaymentForm.WALLET,
}


def of_sale(
    invoice: Invoice, sale: sales_pb2.Sale, country: Country, receiver: Receiver | None, now: datetime
) -> FiscalDocument:
    """The document of a whole sale, to the buyer who is named or to a final consumer."""
    currency = Currency(invoice.currency)
    parts = [(part.method, part.amount_minor) for part in sale.parts] or [(sale.payment_method, sale.total_minor)]
    return FiscalDocument(
        id=invoice.id,
        kind=DocumentKind(invoice.kind),
        country=country,
        currency=currency,
        issued_at=now,
        time_zone=invoice.time_zone,
        receiver=receiver,
        lines=tuple(_line(line, currency) for line in sale.lines),
        payments=tuple(
            Payment(form=FORMS.get(method, PaymentForm.OTHER), amount=Money(amount, currency))
            for method, amount in parts
        ),
    )


def of_refund(
    note: Invoice,
    origin: Invoice,
    original: FiscalDocument,
    sale: sales_pb2.Sale,
    items: Sequence[Mapping[str, Any]],
    reason: str,
    now: datetime,
) -> FiscalDocument:
    """The credit note over a part of a document: what was taken back by item, and money beyond that in proportion to
    what was taxed. items: of `sale.refunded`, empty where money alone went back."""
    currency = Currency(note.currency)
    total = note.money(note.total)
    rates = {line.product_id: line.tax_rate for line in sale.lines}
    lines = [_returned(item, rates.get(str(item["productId"]), ""), currency) for item in items]
    goods = bool(lines)
    rest = total - sum((line.gross for line in lines), Money.zero(currency))
    if rest < Money.zero(currency):
        # Less was given back than the goods had cost: the money is what counts.
        lines, rest, goods = [], total, False
    if rest:
        lines += in_proportion(original, rest, "Devolución")
    full = total == original.total
    return _credit(note, origin, original, tuple(lines), reason, now, full=full, goods=goods)


def of_void(note: Invoice, origin: Invoice, original: FiscalDocument, reason: str, now: datetime) -> FiscalDocument:
    """The credit note over all that is left of a document."""
    total = note.money(note.total)
    whole = total == original.total
    lines = original.lines if whole else tuple(in_proportion(original, total, "Anulación del saldo"))
    return _credit(note, origin, original, lines, reason, now, full=True)


def in_proportion(original: FiscalDocument, amount: Money, description: str) -> list[Line]:
    """One line for each way in which the original was taxed, together exactly `amount`."""
    groups: dict[tuple[Tax, ...], Money] = {}
    for line in original.lines:
        key = tuple(Tax(kind=tax.kind, rate=tax.rate, amount=Money.zero(amount.currency)) for tax in line.taxes)
        groups[key] = groups.get(key, Money.zero(amount.currency)) + line.gross
    if not any(gross.minor for gross in groups.values()):
        groups = {(): Money(1, amount.currency)}
    parts = amount.split([gross.minor for gross in groups.values()])
    return [
        Line(
            description=description,
            quantity=Decimal(1),
            unit_price=part,
            discount=Money.zero(amount.currency),
            gross=part,
            taxes=_taxes_in(taxes, part),
        )
        for taxes, part in zip(groups, parts, strict=True)
        if part
    ]


def _taxes_in(taxes: tuple[Tax, ...], gross: Money) -> tuple[Tax, ...]:
    together = gross.included_tax(sum((tax.rate for tax in taxes), Decimal(0)))
    if len(taxes) == 1:
        return (Tax(kind=taxes[0].kind, rate=taxes[0].rate, amount=together),)
    weights = [int(tax.rate * 10_000) for tax in taxes]
    if not any(weights):
        return tuple(Tax(kind=tax.kind, rate=tax.rate, amount=Money.zero(gross.currency)) for tax in taxes)
    shares = together.split(weights)
    return tuple(Tax(kind=tax.kind, rate=tax.rate, amount=share) for tax, share in zip(taxes, shares, strict=True))


def _credit(
    note: Invoice,
    origin: Invoice,
    original: FiscalDocument,
    lines: tuple[Line, ...],
    reason: str,
    now: datetime,
    *,
    full: bool,
    goods: bool = False,
) -> FiscalDocument:
    assert origin.number is not None
    assert origin.fiscal_id is not None
    currency = Currency(note.currency)
    form = original.payments[0].form if original.payments else PaymentForm.OTHER
    return FiscalDocument(
        id=note.id,
        kind=DocumentKind.CREDIT_NOTE,
        country=original.country,
        currency=currency,
        issued_at=now,
        time_zone=note.time_zone,
        receiver=original.receiver,
        lines=lines,
        payments=(Payment(form=form, amount=note.money(note.total)),),
        reference=Reference(
            kind=original.kind,
            document_type=origin.document_type or "",
            series=(origin.series or "").partition(":")[2],
            number=origin.number,
            fiscal_id=origin.fiscal_id,
            issued_on=original.issued_at.astimezone(ZoneInfo(original.time_zone)).date(),
            full=full,
            goods=goods,
            total=original.total,
            reason=reason,
        ),
    )


def _line(line: sales_pb2.SaleLine, currency: Currency) -> Line:
    unit, gross = Money(line.unit_price_minor, currency), Money(line.total_minor, currency)
    return Line(
        description=line.name,
        sku=line.sku[:64],
        quantity=Decimal(line.quantity),
        unit_price=unit,
        discount=unit * line.quantity - gross,
        gross=gross,
        taxes=_taxes(line.tax_rate, Money(line.tax_minor, currency)),
    )


def _returned(item: Mapping[str, Any], rate: str, currency: Currency) -> Line:
    gross, quantity = Money.of(item["amount"]["amount"], currency), int(item["quantity"])
    # What was given back for several need not be so much for each.
    each = quantity if quantity > 0 and gross.minor % quantity == 0 else 1
    return Line(
        description=str(item["name"]),
        quantity=Decimal(each),
        unit_price=Money(gross.minor // each, currency),
        discount=Money.zero(currency),
        gross=gross,
        taxes=_taxes(rate, Money.of(item["tax"]["amount"], currency)),
    )


def _taxes(rate: str, amount: Money) -> tuple[Tax, ...]:
    """None where the sale names no rate: then the line is not subject to tax."""
    try:
        fraction = Decimal(rate) if rate else None
    except InvalidOperation:
        fraction = None
    return () if fraction is None or not 0 <= fraction < 1 else (Tax(rate=fraction, amount=amount),)
