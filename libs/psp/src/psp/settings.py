"""What every provider's transport is told, whatever else its own settings say."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProviderSettings(BaseSettings):
    """A provider's settings derive from it and give env_prefix and api_url.

    calls_per_second: how many we allow ourselves, of one process, a second's worth at once. No provider states
    a limit; keep it below one that your account is given.
    call_wait_seconds: for how long a call beyond that waits its turn, before it is ProviderUnavailable.
    """

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    api_url: str
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    connect_timeout_seconds: float = Field(default=3.0, gt=0, le=30)
    calls_per_second: float = Field(default=100.0, gt=0, le=100_000)
    call_wait_seconds: float = Field(default=1.0, ge=0, le=30)
