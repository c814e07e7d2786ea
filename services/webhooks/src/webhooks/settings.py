"""Settings of the webhooks service. The providers' keys are read by their own modules (CONEKTA_WEBHOOK_PUBLIC_KEY)."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class WebhooksSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="WEBHOOKS_", env_file=None, extra="ignore", frozen=True)
