"""PayU's two rounding rules, by its published vectors. The confirmation's is printed beside the wrong state there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from twins.payu.signing import Digest, confirmed_value, digest, shown_value

API_KEY = "4Vj8eK4rloUd272L48hsrarnUA"


@pytest.mark.parametrize(
    ("value", "shown", "sign"),
    [
        ("150.25", "150.2", "00286dc735bd9eaa8ae3a3a4cbb40688"),
        ("150.34", "150.3", "779f163be9347a691bcdb25064644795"),
    ],
)
def test_the_page_the_buyer_comes_back_to(value: str, shown: str, sign: str) -> None:
    assert shown_value(Decimal(value)) == shown
    assert digest("md5", API_KEY, "508029", "TestPayU04", shown, "USD", "6") == sign


@pytest.mark.parametrize(("value", "shown"), [("150.35", "150.4"), ("150.45", "150.4"), ("150.00", "150.0")])
def test_halves_go_to_the_even_side(value: str, shown: str) -> None:
    assert shown_value(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("md5", "b607a2c2fa100e0947b206d41864fb86"),
        ("sha1", "3d51fb838e5e15a5353ff4d614fb415e0fa0c22d"),
        ("sha256", "0e208a71d6bca2d57082b4440672b18a57c794b108099c95dd393506cbd5657e"),
    ],
)
def test_a_confirmation(kind: Digest, sign: str) -> None:
    value = confirmed_value(Decimal("150.00"))
    assert value == "150.0"
    assert digest(kind, API_KEY, "508029", "TestPayU04", value, "USD", "4") == sign


@pytest.mark.parametrize(("value", "confirmed"), [("150.26", "150.26"), ("150.20", "150.2"), ("150.25", "150.25")])
def test_a_confirmation_keeps_what_the_page_rounds(value: str, confirmed: str) -> None:
    assert confirmed_value(Decimal(value)) == confirmed
