"""What every payment provider's twin keeps: payments that people and tests can pay, decline, let expire and count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Json = dict[str, Any]


class Refusal(Exception, ABC):
    """The twin says no, in the words of its provider."""

    status: int

    @abstractmethod
    def body(self) -> Json:
        """In the form its provider gives errors."""


class Standing(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class View:
    """A payment as people see it. amount: with its currency. how: where to pay it, beside the page; may be empty.
    status: the provider's own word. return_url: where the page sends the buyer afterwards.
    """

    id: str
    title: str
    amount: str
    standing: Standing
    status: str
    how: str = ""
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Amounts in minor units of the currency. refunds: those that were accepted, carried out or not."""

    payments: int
    charges: int
    charged_amount: int
    refunds: int
    refunded_amount: int


class Book(Protocol):
    """id: the provider's. key: that, our reference, or whatever else the payment is known by. Raises Refusal."""

    def named(self, key: str) -> Json: ...

    def all_named(self, key: str) -> list[Json]:
        """Newest first."""
        ...

    def newest(self, limit: int) -> list[Json]: ...

    def pay(self, id: str, *, amount: int | None = None, force: bool = False) -> Json:
        """amount: minor units, when another one arrives. force: although it is no longer payable."""
        ...

    def decline(self, id: str) -> Json: ...

    def expire(self, id: str) -> Json: ...

    def expire_due(self) -> int: ...

    def settle_refunds(self, id: str, *, approved: bool) -> Json:
        """Carry out, or turn down, the refunds that are under way."""
        ...

    def view(self, payment: Json) -> View: ...

    def tally(self, payments: list[Json]) -> Tally: ...
