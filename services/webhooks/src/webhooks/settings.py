"""Settings of the webhooks service. The providers' keys are read by their own modules (CONEKTA_WEBHOOK_PUBLIC_KEY)."""

from __future__ import annotations

from typing import Annotated, Self

from chassis.settings import Environment, ServiceSettings
from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

_Port = Annotated[int, Field(ge=1, le=65535)]


class WebhooksSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="WEBHOOKS_", env_file=None, extra="ignore", frozen=True)

    # Ports that merchants' endpoints may have.
    endpoint_ports: Annotated[tuple[_Port, ...], NoDecode] = Field(default=(443,), min_length=1)
    # Whether endpoints may also be on this very machine, over http and at any port: for development alone.
    endpoint_loopback: bool = False

    @field_validator("endpoint_ports", mode="before")
    @classmethod
    def _ports(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _no_loopback_in_production(self) -> Self:
        if self.endpoint_loopback and self.common.environment is Environment.PRODUCTION:
            raise ValueError("WEBHOOKS_ENDPOINT_LOOPBACK must be false in production")
        return self
