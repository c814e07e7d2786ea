"""Settings of the sales service: `SALES_…`."""

from __future__ import annotations

from datetime import timedelta

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


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

    catalog_timeout: float = Field(default=4, gt=0, le=30)
    # A payment provider answers slowly at times; payments itself gives up on it earlier than this.
    payments_timeout: float = Field(default=12, gt=0, le=60)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.saga_lease)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.reservation_grace)
