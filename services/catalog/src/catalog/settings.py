"""Settings of this service, from variables prefixed with CATALOG_."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class CatalogSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="CATALOG_", extra="ignore", frozen=True, env_file=None)

    # Seconds between two looks for reservations whose time is over.
    reservation_sweep_seconds: float = Field(default=3, gt=0, le=60)
