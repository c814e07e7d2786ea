"""Settings from the environment: what all services share (no prefix) and what one service has to itself (a prefix)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class Environment(StrEnum):
    LOCAL = "local"
    TEST = "test"
    PRODUCTION = "production"


class CommonSettings(BaseSettings):
    """What every service reads. A name here is the variable's name in upper case."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    environment: Environment = Environment.LOCAL
    log_level: str = "INFO"
    public_url: str = "http://127.0.0.1:8080"

    rabbitmq_url: SecretStr
    redis_url: SecretStr

    jwks_url: str
    jwt_issuer: str = "cobro"
    jwt_audience: str = "cobro"
    service_auth_secret: SecretStr = Field(min_length=32)

    field_encryption_keys: SecretStr
    blind_index_key: SecretStr

    otel_exporter_otlp_endpoint: str | None = None
    # Share of requests whose trace is recorded, when an exporter is configured.
    otel_sample_ratio: float = Field(default=0.1, ge=0, le=1)

    # Seconds a process that is told to end goes on accepting while it sends its callers elsewhere: longer than load
    # balancers take to notice, and than callers keep idle connections.
    drain_seconds: float = Field(default=3, ge=0, le=120)
    # Whether the next process may open the gRPC port while this one still serves it (SO_REUSEPORT).
    rpc_port_shared: bool = False

    # Seconds of each rung of the delayed-retry ladder; after the last one a message is dead-lettered.
    bus_retry_ladder: Annotated[tuple[float, ...], NoDecode] = Field(default=(1, 5, 30, 120, 600))

    @field_validator("bus_retry_ladder", mode="before")
    @classmethod
    def _ladder(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value


class PeerSettings(BaseSettings):
    """Where the services answer, every address pinned once: `<NAME>_GRPC_TARGET` and `<NAME>_HTTP_URL`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    auth_grpc_target: str = "127.0.0.1:9101"
    catalog_grpc_target: str = "127.0.0.1:9102"
    sales_grpc_target: str = "127.0.0.1:9103"
    payments_grpc_target: str = "127.0.0.1:9104"
    webhooks_grpc_target: str = "127.0.0.1:9105"
    billing_grpc_target: str = "127.0.0.1:9106"
    notifications_grpc_target: str = "127.0.0.1:9107"
    analytics_grpc_target: str = "127.0.0.1:9108"

    auth_http_url: str = "http://127.0.0.1:8101"
    catalog_http_url: str = "http://127.0.0.1:8102"
    sales_http_url: str = "http://127.0.0.1:8103"
    payments_http_url: str = "http://127.0.0.1:8104"
    webhooks_http_url: str = "http://127.0.0.1:8105"
    billing_http_url: str = "http://127.0.0.1:8106"
    notifications_http_url: str = "http://127.0.0.1:8107"
    analytics_http_url: str = "http://127.0.0.1:8108"

    def grpc_target(self, service: str) -> str:
        return str(getattr(self, f"{service}_grpc_target"))

    def http_url(self, service: str) -> str:
        return str(getattr(self, f"{service}_http_url"))


class ServiceSettings(BaseSettings):
    """What one service has to itself. A subclass sets `env_prefix`, such as "PAYMENTS_"."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    common: CommonSettings = Field(default_factory=lambda: load(CommonSettings))
    peers: PeerSettings = Field(default_factory=lambda: load(PeerSettings))

    http_host: str = "127.0.0.1"
    http_port: int
    grpc_port: int | None = None
    database_url: SecretStr | None = None
    migration_database_url: SecretStr | None = None
    db_pool_size: int = Field(default=8, ge=1, le=200)


def load(settings: type[SettingsT]) -> SettingsT:
    """Build settings, or end the process with the names of what is missing or wrong, and never a value."""
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        names = ", ".join(f"{_variable(prefix, e['loc'])} ({e['msg']})" for e in error.errors())
        sys.exit(f"settings: {names}")


def _variable(prefix: str, location: Sequence[int | str]) -> str:
    name = ".".join(map(str, location))
    # A field with an alias is located by the alias, which is the variable's whole name.
    return name if name.isupper() else f"{prefix}{name}".upper()
