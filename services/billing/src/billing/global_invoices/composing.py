"""A global invoice out of the receipts of its sales. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fiscal.document import DocumentKind, FiscalDocument, Line, Payment, PaymentForm, Period, Tax
from kernel import Country, Currency, Money, NotFound

from billing.invoices.models import Invoice
from billing.receipts.document import ReceiptDocument
from billing.transmission.composing import FORMS


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale as its receipt has it. refunded: what had been given back when the global invoice was opened."""

    receipt: ReceiptDocument
    refunded: Decimal


def of_sales(
    invoice: Invoice, sales: Sequence[Sold], country: Country, period: Period, now: datetime
) -> FiscalDocument:
    """One line for each sale and rate of tax, over what is left of it."""
    currency = Currency(invoice.currency)
    lines: list[Line] = []
    paid: defaultdict[PaymentForm, Money] = defaultdict(lambda: Money.zero(currency))
    for sold in sales:
        for line in _lines(sold, currency):
            lines.append(line)
            paid[FORMS.get(sold.receipt.payment_method, PaymentForm.OTHER)] += line.gross
    if not lines:
        raise NotFound("All of the sales were given back", code="nothing_to_invoice")
    return FiscalDocument(
        id=invoice.id,
        kind=DocumentKind.GLOBAL,
        country=country,
        currency=currency,
        issued_at=now,
        time_zone=invoice.time_zone,
        lines=tuple(lines),
        payments=tuple(Payment(form=form, amount=amount) for form, amount in sorted(paid.items())),
        period=period,
    )


def _lines(sold: Sold, currency: Currency) -> list[Line]:
    receipt, zero = sold.receipt, Money.zero(currency)
    gross: defaultdict[Decimal, Money] = defaultdict(lambda: zero)
    tax: defaultdict[Decimal, Money] = defaultdict(lambda: zero)
    for line in receipt.lines:
        rate = line.tax_rate.normalize()
        gross[rate] += Money(line.total, currency)
        tax[rate] += Money(line.tax, currency)
    left = Money(receipt.total, currency) - Money.of(sold.refunded, currency)
    if sold.refunded:
        if left <= zero or not any(amount.minor for amount in gross.values()):
            return []
        parts = left.split([amount.minor for amount in gross.values()])
        gross = defaultdict(lambda: zero, zip(gross, parts, strict=True))
        tax = defaultdict(lambda: zero, {rate: amount.included_tax(rate) for rate, amount in gross.items()})
    return [
        Line(
            description="Venta",
            sku=receipt.number,
            quantity=Decimal(1),
            unit_price=amount,
            discount=zero,
            gross=amount,
            taxes=(Tax(rate=rate, amount=tax[rate]),),
        )
        for rate, amount in sorted(gross.items(), reverse=True)
        if amount
    ]
