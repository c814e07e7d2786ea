"""Settings of the sales service: `SALES_…`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from chassis.settings import ServiceSettings
from kernel import Currency, Money
from kernel.cash import CASH_ROUNDING, CashRounding, RoundingMode
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict


class SalesSettings(ServiceSettings):
    """All durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SALES_", env_file=None, extra="ignore", frozen=True)

    # How long a buyer may take, where the request does not say.
    qr_expires_in: int = Field(default=900, ge=60, le=86_400)
    link_expires_in: int = Field(default=86_400, ge=60, le=2_592_000)
    # The goods stay reserved this much longer than the payment lives, so that money of the last second finds them.
    reservation_grace: int = Field(default=600, ge=60, le=86_400)

    # A sale whose driver is silent for this long is taken over. Longer than any single call below.
    saga_lease: int = Field(default=15, ge=2, le=300)
    # A sale that nobody carried on for this long is given up instead of finished: its buyer has left.
    creation_deadline: int = Field(default=300, ge=10, le=3600)
    resume_every: float = Field(default=2, gt=0, le=60)

    # A till that was offline may send what it sold this many days ago.
    sync_days: int = Field(default=30, ge=1, le=366)

    catalog_timeout: float = Field(default=4, gt=0, le=30)
    # A payment provider answers slowly at times; payments itself gives up on it earlier than this.
    payments_timeout: float = Field(default=12, gt=0, le=60)

    # What a drawer's count may differ by without the owner's approval, as "MXN:20,COP:5000"; what is left out is 0.
    # A register may have one of its own.
    cash_tolerances: Annotated[dict[Currency, Decimal], NoDecode] = Field(
        default_factory=lambda: {
            Currency.MXN: Decimal(20),
            Currency.COP: Decimal(5000),
            Currency.ARS: Decimal(1000),
            Currency.CLP: Decimal(1000),
        }
    )

    # What is rounded when it is paid in cash, as "CLP:10,COP:50:DOWN": steps, to the nearest where nothing else is
    # said. Chile's rule is the law's; the others have none.
    cash_rounding: Annotated[dict[Currency, CashRounding], NoDecode] = Field(
        default_factory=lambda: {country.currency: rounding for country, rounding in CASH_ROUNDING.items()}
    )
    # What an employee may refund of one sale without the owner, as "MXN:2000,CLP:100000"; what is left out is not
    # limited.
    refund_limits: Annotated[dict[Currency, Decimal], NoDecode] = Field(
        default_factory=lambda: {
            Currency.MXN: Decimal(2_000),
            Currency.COP: Decimal(400_000),
            Currency.ARS: Decimal(150_000),
            Currency.CLP: Decimal(100_000),
        }
    )

    @field_validator("cash_rounding", mode="before")
    @classmethod
    def _rounding(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = {}
        for currency, step, *mode in (part.strip().split(":") for part in value.split(",") if part.strip()):
            given[Currency(currency)] = CashRounding(Money.of(step, currency), *map(RoundingMode, mode))
        return given

    @field_validator("refund_limits", mode="before")
    @classmethod
    def _limits(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = dict(part.strip().split(":", 1) for part in value.split(",") if part.strip())
        amounts = {Currency(currency): Money.of(amount, currency) for currency, amount in given.items()}
        if any(amount.minor < 0 for amount in amounts.values()):
            raise ValueError("a limit cannot be negative")
        return {currency: amount.decimal for currency, amount in amounts.items()}

    @field_validator("cash_tolerances", mode="before")
    @classmethod
    def _tolerances(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = dict(part.strip().split(":", 1) for part in value.split(",") if part.strip())
        amounts = {Currency(currency): Money.of(amount, currency) for currency, amount in given.items()}
        if any(amount.minor < 0 for amount in amounts.values()):
            raise ValueError("a tolerance cannot be negative")
        return {currency: amounts.get(currency, Money.zero(currency)).decimal for currency in Currency}

    def rounding_of(self, currency: Currency) -> CashRounding | None:
        return self.cash_rounding.get(currency)

    def refund_limit_of(self, currency: Currency) -> Money | None:
        limit = self.refund_limits.get(currency)
        return None if limit is None else Money.of(limit, currency)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.saga_lease)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.reservation_grace)
