"""Where the twins listen, what they remember and which credentials they accept (prefix TWINS_)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ORDER_EVENTS = (
    "order.paid",
    "order.expired",
    "order.canceled",
    "order.declined",
    "order.refunded",
    "order.partially_refunded",
)


class TwinsSettings(BaseSettings):
    """data_dir: without it everything is forgotten at exit.
    public_url: base of the links handed out; default: where the twins listen.
    conekta_private_key: PEM (RSA) that signs webhooks, newlines may be a literal \\n; default: made once and kept.
    conekta_webhook_url, conekta_webhook_events: an endpoint that is subscribed from the start.
    conekta_spei_refunds: whether a paid transfer can be refunded, which Conekta does not document.
    twilio_*, sendgrid_*: when unset, any well-formed credentials do.
    time_scale: delays between webhook attempts are divided by it.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_", env_file=None, extra="ignore", frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8190, ge=0, le=65535)
    public_url: str | None = None
    data_dir: Path | None = None
    conekta_private_key: SecretStr | None = None
    conekta_api_key: SecretStr = SecretStr("key_twin")
    conekta_webhook_url: str | None = None
    conekta_webhook_events: Annotated[tuple[str, ...], NoDecode] = ORDER_EVENTS
    conekta_spei_refunds: bool = False
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    sendgrid_api_key: SecretStr | None = None
    time_scale: float = Field(default=1.0, gt=0)

    @field_validator(
        "public_url",
        "data_dir",
        "conekta_private_key",
        "conekta_webhook_url",
        "twilio_account_sid",
        "twilio_auth_token",
        "sendgrid_api_key",
        mode="before",
    )
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("conekta_webhook_events", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")
