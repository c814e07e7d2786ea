"""Amounts, rates and dates as the reader's country writes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.numbers import format_currency, format_percent
from kernel import Country, Money

from billing.receipts.labels import Language


class Formatter:
    """Spanish follows the business's country; Portuguese and English, which are for visitors, their own."""

    def __init__(self, language: Language, country: Country) -> None:
        self._locale = _locale(language, country)

    def money(self, amount: Money) -> str:
        """The currency decides the decimals: none in Chile, two elsewhere."""
        pattern = self._locale.currency_formats["standard"]
        decimals = amount.currency.exponent
        return format_currency(
            amount.decimal,
            amount.currency.value,
            format=pattern.pattern.replace("0.00", f"0.{'0' * decimals}".rstrip(".")),
            locale=self._locale,
            currency_digits=False,
        )

    def rate(self, rate: Decimal) -> str:
        return format_percent(rate, format="#,##0.##%", locale=self._locale)

    def moment(self, at: datetime, time_zone: str) -> str:
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=ZoneInfo(time_zone), locale=self._locale)


def _locale(language: Language, country: Country) -> Locale:
    territory = {Language.PT: "BR", Language.EN: "US"}.get(language, country.value)
    try:
        return Locale(language.value, territory)
    except UnknownLocaleError:
        return Locale(language.value)
