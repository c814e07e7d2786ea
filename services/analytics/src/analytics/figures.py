"""Sums of money for reports: decimals of the currency's precision, since a sum may exceed what one Money can be."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from chassis.http.schemas import ResponseModel
from kernel import Currency
from pydantic import PlainSerializer, WithJsonSchema

Total = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["150.50"]}),
]
"""A sum of money as a decimal string."""


class Figure(ResponseModel):
    """How many, and how much in all."""

    count: int
    amount: Total


def total(value: Decimal | None, currency: Currency) -> Decimal:
    """A sum from the database, where the sum of nothing is NULL."""
    return (value or Decimal(0)).quantize(currency.quantum)


def average(value: Decimal, count: int, currency: Currency) -> Decimal:
    """Rounded half up to the currency's minor unit; zero of nothing."""
    return (value / count if count else Decimal(0)).quantize(currency.quantum, ROUND_HALF_UP)


def figure(count: int, value: Decimal | None, currency: Currency) -> Figure:
    return Figure(count=count, amount=total(value, currency))
