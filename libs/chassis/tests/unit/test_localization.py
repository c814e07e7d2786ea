from datetime import UTC, datetime
from decimal import Decimal

import pytest
from chassis.localization import Formatter, Language
from kernel import Country, Money


@pytest.mark.parametrize(
    ("language", "country", "minor", "text"),
    [
        (Language.ES, Country.MX, 123_456_750, "$1,234,567.50"),
        (Language.ES, Country.AR, 123_456_750, "$1.234.567,50"),
        (Language.ES, Country.CO, 123_456_750, "$1.234.567,50"),
        (Language.ES, Country.CL, 123_456_750, "$123.456.750"),
        (Language.ES, Country.MX, -1500, "-$15.00"),
        (Language.EN, Country.MX, 150, "MX$1.50"),
        (Language.PT, Country.CL, 150, "CLP\N{NO-BREAK SPACE}150"),
    ],
)
def test_money(language: Language, country: Country, minor: int, text: str) -> None:
    assert Formatter(language, country).money(Money(minor, country.currency)) == text


def test_rates() -> None:
    assert Formatter(Language.ES, Country.MX).rate(Decimal("0.16")) == "16%"
    assert Formatter(Language.EN, Country.AR).rate(Decimal("0.105")) == "10.5%"


def test_a_moment_is_told_in_the_shops_own_time() -> None:
    at = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)

    assert Formatter(Language.ES, Country.MX).moment(at, "America/Mexico_City") == "31 dic 2025, 20:30"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("country", Country)
def test_every_language_works_in_every_country(language: Language, country: Country) -> None:
    assert "1" in Formatter(language, country).money(Money(100, country.currency))
