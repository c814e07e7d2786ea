"""One provider's twin, as the composition root takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from twins.faults import FaultPlan
from twins.provider.book import Book
from twins.provider.deliveries import Deliveries


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Twin:
    """name: as in its paths. kinds: of the documents that a reset forgets. forget: what a reset does besides."""

    name: str
    title: str
    book: Book
    deliveries: Deliveries[Any]
    faults: FaultPlan
    routers: Sequence[APIRouter]
    kinds: Sequence[str]
    forget: Callable[[], None] = _nothing
