"""What is printed, gathered once and then fixed: from the same document the same bytes come out, at any time."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from kernel import Country, Currency, Money
from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Issuer(_Part):
    """The shop. Only `name` is always there."""

    name: str
    legal_name: str = ""
    tax_id: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    phone: str = ""

    @property
    def place(self) -> str:
        """City, state and postal code on one line."""
        return ", ".join(part for part in (self.city, f"{self.state} {self.postal_code}".strip()) if part)


class Buyer(_Part):
    name: str = ""
    tax_id: str = ""


class Line(_Part):
    """Amounts are tax-inclusive minor units; total is what the line costs after every discount."""

    name: str
    sku: str = ""
    quantity: int
    unit_price: int
    tax_rate: Decimal
    tax: int
    total: int

    @property
    def gross(self) -> int:
        return self.quantity * self.unit_price

    @property
    def discount(self) -> int:
        return self.gross - self.total


class FiscalPrint(_Part):
    """What the law wants on paper of a fiscal document, in its words (fiscal.provider.Printed). code: what it must say,
    None where there is none; code_kind: qr or pdf417. taxes: by rate, where they are not the sums of the lines.
    chains: label and value of seals, in small print over the whole width."""

    title: str
    mark: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    code_kind: str = ""
    code: str | None = None
    texts: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    below_frame: str = ""
    caption: tuple[str, ...] = ()
    taxes: tuple[tuple[Decimal, int], ...] = ()
    chains: tuple[tuple[str, str], ...] = ()

    @property
    def heading(self) -> str:
        return f"{self.title} {self.mark}".strip()


class ReceiptDocument(_Part):
    """A receipt, or the printed form of a fiscal document where `fiscal` says so. Amounts are tax-inclusive minor units
    of `currency`; sold_at is UTC, shown in `time_zone`.

    link: where the buyer finds this receipt again, the content of its QR code.
    """

    number: str
    sale_id: UUID
    country: Country
    currency: Currency
    time_zone: str
    sold_at: datetime
    payment_method: str
    issuer: Issuer
    branch: str
    buyer: Buyer | None
    lines: tuple[Line, ...]
    tax: int
    total: int
    link: str
    fiscal: FiscalPrint | None = None

    @property
    def list_price(self) -> int:
        """Before any discount."""
        return sum(line.gross for line in self.lines)

    @property
    def discount(self) -> int:
        """All discounts together: the list price less this is the total."""
        return self.list_price - self.total

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def taxes(self) -> list[tuple[Decimal | None, int]]:
        """The contained tax by rate, highest first; one sum without a rate where the lines do not add up to it."""
        if self.fiscal is not None and self.fiscal.taxes:
            return [(rate, amount) for rate, amount in self.fiscal.taxes if amount]
        by_rate: defaultdict[Decimal, int] = defaultdict(int)
        for line in self.lines:
            by_rate[line.tax_rate.normalize()] += line.tax
        if sum(by_rate.values()) != self.tax:
            return [(None, self.tax)]
        return [(rate, amount) for rate, amount in sorted(by_rate.items(), reverse=True) if amount]
