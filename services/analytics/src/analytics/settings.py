"""Settings of the analytics service: those of every service."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class AnalyticsSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ANALYTICS_", env_file=None, extra="ignore", frozen=True)
