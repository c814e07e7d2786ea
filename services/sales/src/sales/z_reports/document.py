"""What a Z-report says, gathered at the closing and fixed then: the same bytes come out at any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sales.cash_sessions.models import CashSession, CashTotal
from sales.cash_sessions.status import CASH, EntryKind, ExceptionCode

T = TypeVar("T")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Total(_Part):
    """By kind, method and cashier; amounts are signed."""

    kind: EntryKind
    method: str
    cashier: UUID
    amount: Decimal
    count: int


class Oddity(_Part):
    """See ExceptionOut."""

    code: ExceptionCode
    amount: Decimal | None = None
    tolerance: Decimal | None = None
    count: int | None = None
    till: str | None = None


class Summed(_Part):
    """amount: signed, of `count` entries of this name: a kind, a method, or a user's id."""

    name: str
    amount: Decimal
    count: int


class ZReport(_Part):
    """Amounts are decimals of `currency`; times are UTC, shown in `time_zone`. difference: counted minus expected."""

    session_id: UUID
    business: str
    branch: str
    drawer: str
    country: str
    currency: str
    time_zone: str
    business_day: date
    opened_at: datetime
    opened_by: UUID
    closed_at: datetime
    closed_by: UUID
    opening: Decimal
    expected: Decimal
    counted: Decimal
    pieces: dict[str, int] | None
    difference: Decimal
    tolerance: Decimal
    needs_approval: bool
    notes: str | None
    totals: tuple[Total, ...]
    exceptions: tuple[Oddity, ...]

    @property
    def number(self) -> str:
        """What people call it by: the day, and enough of the session's id to tell two of a day apart."""
        return f"Z-{self.business_day:%Y%m%d}-{self.session_id.hex[-6:].upper()}"

    @property
    def sales(self) -> list[Summed]:
        """By method, cash first."""
        return _by_method(total for total in self.totals if total.kind is EntryKind.SALE)

    @property
    def refunds(self) -> list[Summed]:
        return _by_method(total for total in self.totals if total.kind is EntryKind.REFUND)

    def moved(self, kind: EntryKind) -> Summed:
        """All cash in, or out, by hand."""
        return _sum(kind.value, [total for total in self.totals if total.kind is kind])

    @property
    def cashiers(self) -> list[Summed]:
        """Sales less refunds by cashier, whoever sold most first; the counts are of sales. name: the user's id."""
        by_cashier: defaultdict[UUID, list[Total]] = defaultdict(list)
        for total in self.totals:
            if total.kind in {EntryKind.SALE, EntryKind.REFUND}:
                by_cashier[total.cashier].append(total)
        summed = [
            Summed(
                name=str(cashier),
                amount=sum((total.amount for total in totals), Decimal(0)),
                count=sum(total.count for total in totals if total.kind is EntryKind.SALE),
            )
            for cashier, totals in by_cashier.items()
        ]
        return sorted(summed, key=lambda one: (-one.amount, one.name))


def frozen(session: CashSession, totals: Sequence[CashTotal]) -> dict[str, Any]:
    """The report of a session that has just been closed, as JSON."""
    report = ZReport(
        session_id=session.id,
        business=session.business_name,
        branch=session.branch_name,
        drawer=session.register_name,
        country=session.country,
        currency=session.currency,
        time_zone=session.time_zone,
        business_day=session.business_day,
        opened_at=session.opened_at,
        opened_by=session.opened_by,
        closed_at=_set(session.closed_at),
        closed_by=_set(session.closed_by),
        opening=session.opening_cash,
        expected=session.expected,
        counted=_set(session.closing_cash),
        pieces=session.closing_count,
        difference=_set(session.difference),
        tolerance=_set(session.tolerance),
        needs_approval=session.needs_approval,
        notes=session.notes,
        totals=tuple(
            Total(
                kind=EntryKind(total.kind),
                method=total.method,
                cashier=total.created_by,
                amount=total.amount,
                count=total.count,
            )
            for total in totals
        ),
        exceptions=tuple(Oddity.model_validate(item) for item in session.exceptions),
    )
    return report.model_dump(mode="json")


def _by_method(totals: Iterable[Total]) -> list[Summed]:
    by_method: defaultdict[str, list[Total]] = defaultdict(list)
    for total in totals:
        by_method[total.method].append(total)
    return [_sum(method, by_method[method]) for method in sorted(by_method, key=lambda name: (name != CASH, name))]


def _sum(name: str, totals: Sequence[Total]) -> Summed:
    amount = sum((total.amount for total in totals), Decimal(0))
    return Summed(name=name, amount=amount, count=sum(total.count for total in totals))


def _set(value: T | None) -> T:
    """A closed session has it: the table's constraint says so."""
    assert value is not None
    return value
