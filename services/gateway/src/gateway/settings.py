"""Settings of the gateway: `GATEWAY_…`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from chassis.settings import ServiceSettings
from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from gateway.admission.limits import Limit
from gateway.routing.table import LimitClass

Network = IPv4Network | IPv6Network


def _listed(value: object) -> object:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _networks(value: object) -> object:
    items: Any = _listed(value)
    return tuple(ip_network(item) if isinstance(item, str) else item for item in items)


def _limit(value: object) -> object:
    return Limit.parse(value) if isinstance(value, str) else value


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
LimitSetting = Annotated[Limit, NoDecode, BeforeValidator(_limit)]

_PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"


class GatewaySettings(ServiceSettings):
    """Limits read `rate/period:burst`, the period in seconds: "600/60:100" is 600 a minute, at most 100 at once."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_file=None, extra="ignore", frozen=True, arbitrary_types_allowed=True
    )

    limit_public: LimitSetting = Limit(600, 60, 200)
    limit_login: LimitSetting = Limit(60, 60, 30)
    limit_codes: LimitSetting = Limit(20, 60, 10)
    limit_webhooks: LimitSetting = Limit(30_000, 60, 5_000)
    limit_api: LimitSetting = Limit(1_200, 60, 300)
    limit_business: LimitSetting = Limit(12_000, 60, 3_000)

    # Proxies in front of the gateway whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: Networks = ()
    # From where /metrics may be asked, directly and not through a proxy.
    metrics_networks: Networks = Field(default_factory=lambda: _default_networks(_PRIVATE))
    # Origins of web clients, such as https://app.example.com; empty: no browser of another origin may call.
    cors_origins: Listed = ()

    # Seconds until a service must have begun to answer.
    upstream_timeout: float = Field(default=15, gt=0, le=300)
    upstream_slow_timeout: float = Field(default=300, gt=0, le=900)
    upstream_connect_timeout: float = Field(default=1, gt=0, le=30)
    # Connections to each service; a request that finds none free waits for the connect timeout, then gets 503.
    upstream_connections: int = Field(default=100, ge=1, le=1000)
    # Seconds without a byte from the client in the middle of a body, or without it reading a byte of the answer.
    client_idle_timeout: float = Field(default=20, gt=0, le=300)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, _, host = origin.partition("://")
            if scheme not in {"http", "https"} or not host or "/" in host or "*" in host:
                raise ValueError("must be origins such as https://app.example.com, without path or wildcard")
        return value

    @property
    def limits(self) -> dict[LimitClass, Limit]:
        return {limit_class: getattr(self, f"limit_{limit_class}") for limit_class in LimitClass}


def _default_networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(item) for item in text.split(","))
