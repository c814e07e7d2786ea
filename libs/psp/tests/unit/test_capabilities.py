from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from kernel import FixedClock, Money, new_id
from psp.capabilities import main, render
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.provider import IntentRequest, MethodNotSupported, PaymentMethod, ProviderRejected
from psp.registry import ADAPTERS, capability_matrix

DOCUMENT = Path(__file__).parents[4] / "docs" / "payment-providers.md"


def make_request(
    minutes: float = 30, amount: str = "10", method: PaymentMethod = PaymentMethod.QR_DYNAMIC
) -> IntentRequest:
    expires_at = FixedClock().now() + timedelta(minutes=minutes)
    return IntentRequest(new_id(), Money.of(amount, "MXN"), method, "Café", expires_at)


def test_the_page_in_the_docs_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(capability_matrix())


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--write", str(tmp_path / "page.md")])
    main([])
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == capsys.readouterr().out


@pytest.mark.parametrize("entry", capability_matrix(), ids=lambda entry: entry.provider)
def test_every_method_is_either_offered_or_explained(entry) -> None:  # type: ignore[no-untyped-def]
    assert set(entry.methods) | set(entry.missing) == set(PaymentMethod)
    assert not set(entry.methods) & set(entry.missing)
    assert entry.country.currency is entry.currency


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_who_says_to_list_payments_does(adapter) -> None:  # type: ignore[no-untyped-def]
    assert adapter.capabilities.lists_payments is hasattr(adapter, "list_payments")


@pytest.mark.parametrize("minutes", [5, 30, 365 * 24 * 60])
def test_the_whole_range_of_expiry_is_accepted(minutes: float) -> None:
    ConektaAdapter.capabilities.check(make_request(minutes), FixedClock().now())


@pytest.mark.parametrize("minutes", [-5, 0, 4.99, 365 * 24 * 60 + 0.1])
def test_an_expiry_out_of_range_is_refused(minutes: float) -> None:
    with pytest.raises(ProviderRejected) as caught:
        ConektaAdapter.capabilities.check(make_request(minutes), FixedClock().now())
    assert (caught.value.code, caught.value.param) == ("expiry_out_of_range", "expires_at")


def test_a_missing_method_says_why() -> None:
    with pytest.raises(MethodNotSupported, match="counter"):
        ConektaAdapter.capabilities.check(make_request(method=PaymentMethod.QR_STATIC), FixedClock().now())
