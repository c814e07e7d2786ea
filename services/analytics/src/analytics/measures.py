"""Figures of some days, found by what they measure. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from kernel import Currency

from analytics.figures import Figure, figure


class Measures:
    """rows: measure, key, detail, number, amount, tax, discount (aggregates.sql says what is measured)."""

    def __init__(self, rows: Iterable[Any], currency: Currency) -> None:
        self._rows = list(rows)
        self._currency = currency

    def of(self, measure: str, key: str | None = None, detail: str | None = None) -> Sequence[Any]:
        return [
            row
            for row in self._rows
            if row.measure == measure and key in (None, row.key) and detail in (None, row.detail)
        ]

    def figure(self, measure: str, key: str | None = None, detail: str | None = None) -> Figure:
        rows = self.of(measure, key, detail)
        return figure(sum(row.number for row in rows), self.sum(rows, "amount"), self._currency)

    def pairs(self, *measures: str) -> list[tuple[str, str]]:
        """Every key and detail that one of them has, in order."""
        return sorted({(row.key, row.detail) for row in self._rows if row.measure in measures})

    @staticmethod
    def sum(rows: Iterable[Any], column: str) -> Decimal:
        return sum((getattr(row, column) for row in rows), Decimal(0))
