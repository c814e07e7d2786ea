"""Settings of billing: BILLING_*, and OBJECT_STORE_URL."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class BillingSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="BILLING_", extra="ignore", frozen=True, env_file=None)

    http_port: int = 8106
    grpc_port: int | None = 9106
    # Where documents are kept, such as file:///var/lib/cobro/objects or s3://bucket/prefix.
    object_store_url: str = Field(validation_alias="OBJECT_STORE_URL")
