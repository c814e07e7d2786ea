"""One payment of ours beside the provider's. Pure."""

from __future__ import annotations

from typing import Final

from psp.provider import FetchedPayment

from payments.intents import status
from payments.intents.models import Payment
from payments.intents.status import Evidence, Step
from payments.resolution.evidence import EVIDENCE

_PAID: Final = frozenset({Step.CONFIRMED, Step.PARTIALLY_REFUNDED, Step.REFUNDED})


def differing(payment: Payment, seen: FetchedPayment) -> tuple[str, ...]:
    """Of amount, status, refunded, duplicate: what is not as the provider says. Empty where all is well.

    A payment we have given up, and which the provider still would take money for, is none: no money has moved.
    """
    evidence = EVIDENCE[seen.status]
    paid_there = evidence is Evidence.PAID
    if payment.provider_ref not in (None, seen.provider_ref):
        # Left by a creation that was never answered. It matters only once somebody has paid it.
        return ("duplicate",) if paid_there else ()
    paid_here = payment.step in _PAID
    checks = {
        "amount": seen.amount != payment.money,
        "status": bool(status.path(payment.step, evidence)) or (paid_here and not paid_there),
        "refunded": paid_here and paid_there and seen.refunded != payment.refunded_money,
    }
    return tuple(name for name, differs in checks.items() if differs)


def is_paid(seen: FetchedPayment) -> bool:
    return EVIDENCE[seen.status] is Evidence.PAID
