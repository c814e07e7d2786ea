"""The report as rows of text, in the order in which both layouts print them. Pure but for the formatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.localization import Formatter
from kernel import Currency, Money, MoneyError

from sales.cash_sessions.status import CASH, EntryKind
from sales.z_reports.document import Oddity, Summed, ZReport
from sales.z_reports.labels import Labels


@dataclass(frozen=True, slots=True)
class Row:
    """strong: a sum."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: Sequence[Row]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    title: str
    number: str
    shop: str
    head: Sequence[Row]
    sections: Sequence[Section]
    remarks_title: str
    remarks: Sequence[str]
    signatures: Sequence[str]


def content_of(report: ZReport, labels: Labels, formatter: Formatter) -> Content:
    money = _Amounts(report, formatter)
    sections = [
        _drawer(report, labels, money),
        *([_count(report, labels, money)] if report.pieces else []),
        _methods(labels.sales, report.sales, labels, money, note=labels.not_cash),
        _methods(labels.refunds, report.refunds, labels, money),
        *([_cashiers(report, labels, money)] if report.cashiers else []),
    ]
    return Content(
        title=labels.report,
        number=report.number,
        shop=report.business,
        head=_head(report, labels, formatter),
        sections=sections,
        remarks_title=labels.exceptions,
        remarks=_remarks(report, labels, money),
        signatures=[labels.cashier_signature, labels.owner_signature],
    )


class _Amounts:
    """A sum beyond what one amount may be is printed without the country's signs."""

    def __init__(self, report: ZReport, formatter: Formatter) -> None:
        self._currency = Currency(report.currency)
        self._formatter = formatter

    def __call__(self, amount: Decimal) -> str:
        try:
            return self._formatter.money(Money.of(amount, self._currency))
        except MoneyError:
            return f"{self._currency} {amount:.{self._currency.exponent}f}"


def _head(report: ZReport, labels: Labels, formatter: Formatter) -> list[Row]:
    return [
        Row(labels.branch, report.branch),
        Row(labels.register, report.drawer),
        Row(labels.day, report.business_day.isoformat()),
        Row(labels.opened, formatter.moment(report.opened_at, report.time_zone)),
        Row(labels.opened_by, _short(str(report.opened_by))),
        Row(labels.closed, formatter.moment(report.closed_at, report.time_zone)),
        Row(labels.closed_by, _short(str(report.closed_by))),
    ]


def _drawer(report: ZReport, labels: Labels, money: _Amounts) -> Section:
    def cash(sums: Sequence[Summed]) -> Decimal:
        return next((one.amount for one in sums if one.name == CASH), Decimal(0))

    return Section(
        labels.drawer,
        [
            Row(labels.opening, money(report.opening)),
            Row(labels.cash_sales, money(cash(report.sales))),
            Row(labels.cash_refunds, money(cash(report.refunds))),
            Row(labels.cash_in, money(report.moved(EntryKind.IN).amount)),
            Row(labels.cash_out, money(report.moved(EntryKind.OUT).amount)),
            Row(labels.expected, money(report.expected), strong=True),
            Row(labels.counted, money(report.counted), strong=True),
            Row(labels.difference, money(report.difference), strong=True),
            Row(labels.tolerance, money(report.tolerance)),
        ],
    )


def _count(report: ZReport, labels: Labels, money: _Amounts) -> Section:
    rows = [
        Row(f"{money(Decimal(face))} × {number}", money(Decimal(face) * number))
        for face, number in (report.pieces or {}).items()
    ]
    return Section(labels.denominations, [*rows, Row(labels.total, money(report.counted), strong=True)])


def _methods(title: str, sums: Sequence[Summed], labels: Labels, money: _Amounts, *, note: str = "") -> Section:
    rows = [Row(f"{labels.methods.get(one.name, one.name)} ({one.count})", money(one.amount)) for one in sums]
    if not rows:
        return Section(title, [Row(labels.none, "")])
    total = sum((one.amount for one in sums), Decimal(0))
    cash_only = all(one.name == CASH for one in sums)
    return Section(title, [*rows, Row(labels.total, money(total), strong=True)], "" if cash_only else note)


def _cashiers(report: ZReport, labels: Labels, money: _Amounts) -> Section:
    return Section(
        labels.cashiers, [Row(f"{_short(one.name)} ({one.count})", money(one.amount)) for one in report.cashiers]
    )


def _remarks(report: ZReport, labels: Labels, money: _Amounts) -> list[str]:
    def said(oddity: Oddity) -> str:
        return labels.odd[oddity.code].format(
            amount=money(oddity.amount or Decimal(0)),
            tolerance=money(oddity.tolerance or Decimal(0)),
            count=oddity.count or 0,
            till=oddity.till or "",
        )

    remarks = [said(oddity) for oddity in report.exceptions]
    if report.needs_approval:
        remarks.append(labels.approval)
    if report.notes:
        remarks.append(f"{labels.notes}: {report.notes}")
    return remarks


def _short(user_id: str) -> str:
    """Enough of an id to tell the people of a shop apart; their names are not ours to print."""
    return f"#{user_id[-6:].upper()}"
