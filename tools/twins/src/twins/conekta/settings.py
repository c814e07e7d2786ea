"""The Conekta twin's settings (prefix TWINS_CONEKTA_)."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ORDER_EVENTS = (
    "order.paid",
    "order.expired",
    "order.canceled",
    "order.declined",
    "order.refunded",
    "order.partially_refunded",
)


class ConektaTwinSettings(BaseSettings):
    """private_key: PEM (RSA) that signs webhooks, newlines may be a literal \\n; default: made once and kept.
    webhook_url, webhook_events: an endpoint that is subscribed from the start.
    spei_refunds: whether a paid transfer can be refunded, which Conekta does not document.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_CONEKTA_", env_file=None, extra="ignore", frozen=True)

    private_key: SecretStr | None = None
    api_key: SecretStr = SecretStr("key_twin")
    webhook_url: str | None = None
    webhook_events: Annotated[tuple[str, ...], NoDecode] = ORDER_EVENTS
    spei_refunds: bool = False

    @field_validator("private_key", "webhook_url", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("webhook_events", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
