"""Payments, from measures of some days. Pure."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from kernel import Currency

from analytics.figures import Figure, total
from analytics.measures import Measures
from analytics.payments.schemas import (
    FailureFigures,
    PaymentFigures,
    ProviderFailures,
    ProviderFigures,
    TenderFigures,
)

_FLOW: Final = ("created", "confirmed", "failed", "refunded")
_RATE: Final = Decimal("0.0001")


def success_rate(confirmed: Figure, failed: Figure) -> Decimal | None:
    """Of payments that ended, by number; None where none did."""
    ended = confirmed.count + failed.count
    return (Decimal(confirmed.count) / ended).quantize(_RATE, ROUND_HALF_UP) if ended else None


def flow_of(found: Measures, key: str | None = None, detail: str | None = None) -> dict[str, Any]:
    """The fields of a PaymentFlow."""
    flow = {name: found.figure(f"payment_{name}", key, detail) for name in _FLOW}
    return {**flow, "success_rate": success_rate(flow["confirmed"], flow["failed"])}


def payments_of(found: Measures, currency: Currency) -> PaymentFigures:
    """A provider that only refunded in these days has a row too. Reasons: the commonest first."""
    pairs = found.pairs(*(f"payment_{name}" for name in _FLOW))
    reasons: defaultdict[str, list[Any]] = defaultdict(list)
    for row in found.of("payment_declined"):
        reasons[row.detail].append(row)
    failures = [
        FailureFigures(
            reason=reason,
            count=sum(row.number for row in rows),
            amount=total(found.sum(rows, "amount"), currency),
        )
        for reason, rows in reasons.items()
    ]
    return PaymentFigures(
        **flow_of(found),
        by_provider=[
            ProviderFigures(provider=provider, method=method, **flow_of(found, provider, method))
            for provider, method in pairs
        ],
        failure_reasons=sorted(failures, key=lambda each: (-each.count, each.reason)),
    )


def failures_by_provider(found: Measures, currency: Currency) -> list[ProviderFailures]:
    """By provider, and of each the commonest first."""
    rows = sorted(found.of("payment_declined"), key=lambda row: (row.key, -row.number, row.detail))
    return [
        ProviderFailures(provider=row.key, reason=row.detail, count=row.number, amount=total(row.amount, currency))
        for row in rows
    ]


def tenders_of(found: Measures) -> list[TenderFigures]:
    return [
        TenderFigures(
            method=method, received=found.figure("tender", method), refunded=found.figure("tender_refunded", method)
        )
        for method, _ in found.pairs("tender", "tender_refunded")
    ]
