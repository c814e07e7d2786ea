"""What every country's transport is told, whatever else its own settings say."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FiscalSettings(BaseSettings):
    """A country's settings derive from it and give env_prefix (`FISCAL_MX_`) and the addresses of its services.

    timeout_seconds: of one call. The outcome is unknown after it, which is asked about, so it may be generous.
    """

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    timeout_seconds: float = Field(default=20.0, gt=0, le=60)
    connect_timeout_seconds: float = Field(default=3.0, gt=0, le=30)
    calls_per_second: float = Field(default=20.0, gt=0, le=10_000)
    call_wait_seconds: float = Field(default=2.0, ge=0, le=30)
