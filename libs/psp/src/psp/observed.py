"""Calls, time and outcomes of every verb of every adapter, measured where its caller sees them.

What one exchange over the wire took is measured in chassis.outbound; a verb may need several, or none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, TypeVar

from prometheus_client import Counter, Histogram

from psp.provider import (
    Declined,
    OutcomeUnknown,
    PaymentNotFound,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
)

AdapterT = TypeVar("AdapterT", bound=type[Any])

VERBS: Final = (
    "create_payment_intent",
    "banks",
    "generate_qr_code",
    "fetch_payment",
    "find_payment",
    "confirm_payment",
    "cancel",
    "refund",
    "fetch_refund",
    "find_refund",
)
# Of those providers that have them.
OPTIONAL_VERBS: Final = ("list_payments",)

# The more special one first.
_OUTCOMES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (OutcomeUnknown, "unknown"),
    (ProviderUnavailable, "unavailable"),
    (Declined, "declined"),
    (PaymentNotFound, "not_found"),
    (ProviderRejected, "rejected"),
    (ProviderNotConfigured, "not_configured"),
    (asyncio.CancelledError, "canceled"),
)

_CALLS = Counter(
    "cobro_psp_calls_total", "Verbs asked of a payment provider, by outcome.", ["provider", "operation", "outcome"]
)
_SECONDS = Histogram(
    "cobro_psp_call_seconds",
    "Time a verb of a payment provider took, all its exchanges together.",
    ["provider", "operation"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

_under_way: ContextVar[bool] = ContextVar("psp_verb_under_way", default=False)


def observed(adapter: AdapterT) -> AdapterT:
    """Class decorator. A verb that another one uses counts as part of it."""
    for verb in (*VERBS, *(verb for verb in OPTIONAL_VERBS if hasattr(adapter, verb))):
        setattr(adapter, verb, _observed(getattr(adapter, verb), adapter.name, verb))
    return adapter


def _observed(method: Callable[..., Awaitable[Any]], provider: str, verb: str) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def measured(*args: Any, **kwargs: Any) -> Any:
        if _under_way.get():
            return await method(*args, **kwargs)
        token = _under_way.set(True)
        started = time.perf_counter()
        outcome = "ok"
        try:
            return await method(*args, **kwargs)
        except BaseException as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "error")
            raise
        finally:
            _under_way.reset(token)
            _CALLS.labels(provider, verb, outcome).inc()
            _SECONDS.labels(provider, verb).observe(time.perf_counter() - started)

    return measured
