"""What is to be documented, in no country's words: a country's `document.py` turns it into theirs.

The gross amount is the truth: it is what the buyer was charged, and net is gross less tax. About one gross price in
six has no net from which the tax rate leads back to it, so nothing here computes a gross from a net.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from kernel import Country, Currency, Money
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]


class DocumentKind(StrEnum):
    """INVOICE: to a buyer who is named, on request. TICKET: to a final consumer, one per sale (boleta, documento POS,
    Factura B). CREDIT_NOTE: takes back all or a part of one of these. GLOBAL: the sales of a period that nobody asked
    an invoice of (Mexico)."""

    INVOICE = "INVOICE"
    TICKET = "TICKET"
    CREDIT_NOTE = "CREDIT_NOTE"
    GLOBAL = "GLOBAL"


class TaxKind(StrEnum):
    """VAT: IVA. CONSUMPTION: impuesto nacional al consumo (Colombia), IEPS (Mexico)."""

    VAT = "VAT"
    CONSUMPTION = "CONSUMPTION"


class PaymentForm(StrEnum):
    CASH = "CASH"
    CARD = "CARD"
    TRANSFER = "TRANSFER"
    WALLET = "WALLET"
    OTHER = "OTHER"


class Periodicity(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    FORTNIGHTLY = "FORTNIGHTLY"
    MONTHLY = "MONTHLY"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(_Part):
    """country_code: ISO 3166-1 alpha-2. city_code: the authority's own, such as DANE's five digits."""

    street: Words = ""
    district: Words = ""
    city: Words = ""
    city_code: Code = ""
    state: Words = ""
    postal_code: Code = ""
    country_code: Code = ""


class Receiver(_Part):
    """The buyer who is named. tax_id: as the buyer wrote it, without punctuation.

    tax_id_kind: the country's own word (RFC; NIT, CC; CUIT, DNI; RUT), empty for its usual one. regime: its code of
    the buyer's tax status (régimen fiscal, condición frente al IVA). use: uso del CFDI, giro.
    """

    name: Words
    tax_id: Code
    tax_id_kind: Code = ""
    regime: Code = ""
    use: Code = ""
    email: Words = ""
    address: Address = Address()


class Tax(_Part):
    """rate: a fraction, such as 0.16. amount: contained in the line's gross."""

    kind: TaxKind = TaxKind.VAT
    rate: Decimal = Field(ge=0, lt=1)
    amount: Money


class Line(_Part):
    """unit_price: before discount. gross: what was charged for the line: quantity times unit_price less discount.

    product_code, unit_code: of the authority's catalogue, empty for its general ones. No taxes: not subject to any;
    exempt is a tax of rate 0.
    """

    description: Words
    sku: Code = ""
    product_code: Code = ""
    unit_code: Code = ""
    quantity: Decimal = Field(gt=0, lt=10**9)
    unit_price: Money
    discount: Money
    gross: Money
    taxes: tuple[Tax, ...] = ()

    @property
    def tax(self) -> Money:
        return sum((tax.amount for tax in self.taxes), Money.zero(self.gross.currency))

    @property
    def net(self) -> Money:
        return self.gross - self.tax

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        zero = Money.zero(self.gross.currency)
        if Money.rounded(self.unit_price.decimal * self.quantity, self.gross.currency) - self.discount != self.gross:
            raise ValueError("gross must be quantity times unit price less discount")
        if self.discount < zero or self.gross < zero or any(tax.amount < zero for tax in self.taxes):
            raise ValueError("amounts must not be negative")
        if self.tax > self.gross:
            raise ValueError("tax must be contained in gross")
        return self


class Reference(_Part):
    """The document that a credit note takes back, or that an invoice replaces. document_type: the country's code.

    full: all that is left of it is taken back. goods: it is for goods that came back, and not for money alone.
    total: of the whole document that is referred to, where it is known.
    """

    kind: DocumentKind
    document_type: Code
    series: str
    number: int
    fiscal_id: str
    issued_on: date
    full: bool = True
    goods: bool = False
    total: Money | None = None
    reason: Words = ""


class Payment(_Part):
    form: PaymentForm
    amount: Money


class Period(_Part):
    """first, last: days of the business, both within. periodicity: how often the business sends one."""

    first: date
    last: date
    periodicity: Periodicity


class FiscalDocument(_Part):
    """Fixed when it is made, so that the same bytes can be prepared from it again. issued_at: UTC.

    receiver: None for a final consumer. reference: of every CREDIT_NOTE. period: of every GLOBAL, whose lines are
    sales and not products.
    """

    id: UUID
    kind: DocumentKind
    country: Country
    currency: Currency
    issued_at: datetime
    time_zone: str
    receiver: Receiver | None = None
    lines: tuple[Line, ...] = Field(min_length=1, max_length=5000)
    payments: tuple[Payment, ...] = ()
    reference: Reference | None = None
    period: Period | None = None

    @property
    def total(self) -> Money:
        return sum((line.gross for line in self.lines), Money.zero(self.currency))

    @property
    def tax(self) -> Money:
        return sum((line.tax for line in self.lines), Money.zero(self.currency))

    @property
    def net(self) -> Money:
        return self.total - self.tax

    @property
    def local_time(self) -> datetime:
        """issued_at in the business's time zone."""
        return self.issued_at.astimezone(ZoneInfo(self.time_zone))

    def taxes(self) -> dict[tuple[TaxKind, Decimal], tuple[Money, Money]]:
        """By kind and rate: the net amount taxed, and the tax; in the order of kind and rate."""
        found: defaultdict[tuple[TaxKind, Decimal], list[Money]] = defaultdict(
            lambda: [Money.zero(self.currency), Money.zero(self.currency)]
        )
        for line in self.lines:
            for tax in line.taxes:
                sums = found[tax.kind, tax.rate.normalize()]
                sums[0] += line.net
                sums[1] += tax.amount
        return {key: (base, tax) for key, (base, tax) in sorted(found.items())}

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.currency is not self.country.currency:
            raise ValueError("currency must be the country's")
        amounts = [amount for line in self.lines for amount in (line.gross, line.discount, line.unit_price)]
        amounts += [tax.amount for line in self.lines for tax in line.taxes]
        amounts += [payment.amount for payment in self.payments]
        if any(amount.currency is not self.currency for amount in amounts):
            raise ValueError("every amount must be in the document's currency")
        if self.kind is DocumentKind.INVOICE and self.receiver is None:
            raise ValueError("an invoice names its receiver")
        if (self.kind is DocumentKind.CREDIT_NOTE) != (self.reference is not None) and self.kind in (
            DocumentKind.CREDIT_NOTE,
            DocumentKind.TICKET,
        ):
            raise ValueError("a credit note, and no ticket, names the document it takes back")
        if (self.kind is DocumentKind.GLOBAL) != (self.period is not None):
            raise ValueError("a global invoice, and nothing else, has a period")
        if self.issued_at.tzinfo is None:
            raise ValueError("issued_at must have a time zone")
        return self
