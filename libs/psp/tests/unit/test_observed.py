from __future__ import annotations

import asyncio
import inspect

import pytest
from prometheus_client import REGISTRY
from psp.observed import VERBS, observed
from psp.provider import (
    Declined,
    OutcomeUnknown,
    PaymentNotFound,
    PaymentProvider,
    ProviderError,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
)
from psp.registry import ADAPTERS


def make_provider(name: str, error: BaseException | None = None) -> object:
    """Its verbs raise the error, or answer; confirm_payment fetches."""

    async def answer(self: object, *_: object) -> str:
        if error is not None:
            raise error
        return "answer"

    async def confirm(self: object, *_: object) -> object:
        return await self.fetch_payment("ref")  # type: ignore[attr-defined]

    verbs = {**dict.fromkeys(VERBS, answer), "confirm_payment": confirm}
    return observed(type("Provider", (), {"name": name, **verbs}))()


def calls(provider: str, operation: str, outcome: str) -> float:
    labels = {"provider": provider, "operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("cobro_psp_calls_total", labels) or 0.0


def test_the_verbs_are_those_of_the_contract() -> None:
    assert set(VERBS) == {
        name for name, value in vars(PaymentProvider).items() if inspect.iscoroutinefunction(value)
    } - {"close"}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_every_adapter_has_the_verbs_and_counts_them(adapter: object) -> None:
    for verb in VERBS:
        method = getattr(adapter, verb)
        assert inspect.unwrap(method) is not method
        assert inspect.signature(method) == inspect.signature(getattr(PaymentProvider, verb))


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (OutcomeUnknown, "unknown"),
        (ProviderUnavailable, "unavailable"),
        (Declined, "declined"),
        (PaymentNotFound, "not_found"),
        (ProviderRejected, "rejected"),
        (ProviderNotConfigured, "not_configured"),
    ],
)
async def test_outcomes_are_told_apart(kind: type[ProviderError], outcome: str) -> None:
    provider = make_provider(f"of_{outcome}", kind(f"of_{outcome}", "code"))
    with pytest.raises(kind):
        await provider.refund(None)  # type: ignore[attr-defined]
    assert calls(f"of_{outcome}", "refund", outcome) == 1


async def test_a_caller_that_gives_up_and_a_mistake_of_ours() -> None:
    for error, outcome in ((asyncio.CancelledError(), "canceled"), (KeyError("x"), "error")):
        provider = make_provider(f"of_{outcome}", error)
        with pytest.raises(type(error)):
            await provider.banks()  # type: ignore[attr-defined]
        assert calls(f"of_{outcome}", "banks", outcome) == 1


async def test_a_verb_inside_a_verb_is_not_counted_again() -> None:
    provider = make_provider("of_nested")
    assert await provider.confirm_payment("expected") == "answer"  # type: ignore[attr-defined]
    assert calls("of_nested", "confirm_payment", "ok") == 1
    assert calls("of_nested", "fetch_payment", "ok") == 0
    await provider.fetch_payment("ref")  # type: ignore[attr-defined]
    assert calls("of_nested", "fetch_payment", "ok") == 1
    labels = {"provider": "of_nested", "operation": "confirm_payment"}
    assert REGISTRY.get_sample_value("cobro_psp_call_seconds_count", labels) == 1
