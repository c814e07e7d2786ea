"""Amounts, rates and dates as the reader's country writes them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from kernel import Country, Money


class Language(StrEnum):
    """The languages Cobro speaks to merchants and buyers; Spanish is the default."""

    ES = "es"
    PT = "pt"
    EN = "en"


_TERRITORIES = {Language.PT: "BR", Language.EN: "US"}


class Formatter:
    """Spanish follows the business's country; Portuguese and English, which are for visitors, their own."""

    def __init__(self, language: Language, country: Country) -> None:
        # Babel costs 10 MiB that a process which formats nothing yet need not hold.
        from babel import Locale, dates, numbers  # noqa: PLC0415

        self._locale = Locale(language.value, _TERRITORIES.get(language, country.value))
        self._dates = dates
        self._numbers = numbers

    def money(self, amount: Money) -> str:
        """With the currency's decimals as this suite counts them: none in Chile, two elsewhere."""
        pattern = self._locale.currency_formats["standard"].pattern
        if amount.currency.exponent == 0:
            pattern = pattern.replace("0.00", "0")
        return self._numbers.format_currency(
            amount.decimal, amount.currency.value, format=pattern, locale=self._locale, currency_digits=False
        )

    def short(self, value: Decimal) -> str:
        """As few characters as tell how much it is: 12.5 k."""
        return self._numbers.format_compact_decimal(value, locale=self._locale, fraction_digits=1)

    def rate(self, rate: Decimal) -> str:
        """0.16 as 16%, 0.105 as 10.5%."""
        return self._numbers.format_percent(rate, format="#,##0.##%", locale=self._locale)

    def day(self, day: date) -> str:
        return self._dates.format_date(day, "d MMM y", locale=self._locale)

    def weekday(self, day: date) -> str:
        """Its name in short and its number: lun 12."""
        return self._dates.format_date(day, "EEE d", locale=self._locale)

    def moment(self, at: datetime, time_zone: str) -> str:
        """Day and minute in the business's time zone."""
        return self._dates.format_datetime(at, "d MMM y, HH:mm", tzinfo=ZoneInfo(time_zone), locale=self._locale)
