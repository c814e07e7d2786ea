"""Settings of the payments service (prefix PAYMENTS_). The providers' own keys are read by their adapters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from chassis.settings import ServiceSettings
from kernel import Country, Currency, Money
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

_MAX_AMOUNTS = {
    Currency.MXN: Money.of(500_000, Currency.MXN),
    Currency.COP: Money.of(100_000_000, Currency.COP),
    Currency.ARS: Money.of(50_000_000, Currency.ARS),
    Currency.CLP: Money.of(25_000_000, Currency.CLP),
}
# By KYC level; what is not named here is limited by the currency's largest payment alone.
_KYC_LIMITS = {
    (Country.MX, 0): Money.of(50_000, Currency.MXN),
    (Country.MX, 1): Money.of(200_000, Currency.MXN),
    (Country.CO, 0): Money.of(10_000_000, Currency.COP),
    (Country.CO, 1): Money.of(40_000_000, Currency.COP),
    (Country.AR, 0): Money.of(5_000_000, Currency.ARS),
    (Country.AR, 1): Money.of(20_000_000, Currency.ARS),
    (Country.CL, 0): Money.of(2_500_000, Currency.CLP),
    (Country.CL, 1): Money.of(10_000_000, Currency.CLP),
}


class PaymentsSettings(ServiceSettings):
    """max_amounts: the largest single payment per currency, as "MXN:500000,CLP:25000000".

    kyc_limits: the largest single payment of a caller of a KYC level, as "MX:0:50000,MX:1:200000".

    expiry_seconds: of a payment whose creator names none. counter_per_minute: payments that buyers may open by
    themselves at one printed code or link. poll_batch: payments read again per second and process, of
    which poll_concurrency at a time. open_accounts: businesses' own accounts at a provider that a process keeps
    connections open for.
    """

    model_config = SettingsConfigDict(env_prefix="PAYMENTS_", env_file=None, extra="ignore", frozen=True)

    max_amounts: Annotated[Mapping[Currency, Money], NoDecode] = Field(default=_MAX_AMOUNTS)
    kyc_limits: Annotated[Mapping[tuple[Country, int], Money], NoDecode] = Field(default=_KYC_LIMITS)
    expiry_seconds: int = Field(default=900, ge=300, le=2_592_000)
    counter_per_minute: int = Field(default=60, ge=1, le=10_000)
    poll_batch: int = Field(default=50, ge=1, le=1000)
    poll_concurrency: int = Field(default=8, ge=1, le=100)
    open_accounts: int = Field(default=64, ge=1, le=10_000)

    @field_validator("max_amounts", mode="before")
    @classmethod
    def _amounts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = (item.partition(":") for item in _items(value))
        given = {Currency(currency): Money.of(amount, currency) for currency, _, amount in pairs}
        return {**_MAX_AMOUNTS, **given}

    @field_validator("kyc_limits", mode="before")
    @classmethod
    def _limits(cls, value: object) -> object:
        return {**_KYC_LIMITS, **dict(map(_kyc_limit, _items(value)))} if isinstance(value, str) else value

    @property
    def expiry(self) -> timedelta:
        return timedelta(seconds=self.expiry_seconds)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _kyc_limit(item: str) -> tuple[tuple[Country, int], Money]:
    country, level, amount = item.split(":")
    limit = Money.of(amount, Country(country).currency)
    if limit.minor <= 0:
        raise ValueError("a limit is more than zero")
    return (Country(country), int(level)), limit
