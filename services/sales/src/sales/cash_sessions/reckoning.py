"""What a closing comes to: the difference, whether the owner must look at it, and what else was odd. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sales.cash_sessions.status import ExceptionCode


@dataclass(frozen=True, slots=True)
class Reckoning:
    """difference: counted minus expected, negative when cash is missing."""

    expected: Decimal
    counted: Decimal
    tolerance: Decimal

    @property
    def difference(self) -> Decimal:
        return self.counted - self.expected

    @property
    def needs_approval(self) -> bool:
        return abs(self.difference) > self.tolerance


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something of a session that somebody should look at. details: by their names in JSON, amounts as strings."""

    code: ExceptionCode
    details: dict[str, Any]

    def stored(self) -> dict[str, Any]:
        return {"code": self.code.value, **self.details}


def oddities_of(
    reckoning: Reckoning,
    *,
    lowest: Decimal,
    pending_sales: int,
    exponent: int,
    missing_sales: Mapping[str, int] = MappingProxyType({}),
) -> Sequence[Oddity]:
    """pending_sales: of this session, whose payment is open. missing_sales: how many have not come in, by till. lowest:
    the least cash that was ever expected. exponent: the currency's decimals."""

    def text(amount: Decimal) -> str:
        return f"{amount:.{exponent}f}"

    found = []
    if reckoning.needs_approval:
        details = {"amount": text(reckoning.difference), "tolerance": text(reckoning.tolerance)}
        found.append(Oddity(ExceptionCode.DIFFERENCE, details))
    if lowest < 0:
        found.append(Oddity(ExceptionCode.NEGATIVE_EXPECTED, {"amount": text(lowest)}))
    if pending_sales:
        found.append(Oddity(ExceptionCode.PENDING_SALES, {"count": pending_sales}))
    for till, count in missing_sales.items():
        found.append(Oddity(ExceptionCode.MISSING_SALES, {"count": count, "till": till}))
    return found


def business_day(opened_at: datetime, time_zone: str) -> date:
    """The local day of the opening, which the whole session belongs to, also past midnight."""
    return opened_at.astimezone(ZoneInfo(time_zone)).date()
