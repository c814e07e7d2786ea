"""Conekta's keys and addresses, read from the environment (prefix CONEKTA_) when asked for."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from psp.account_shape import AccountField, AccountShape
from psp.settings import ProviderSettings


class ConektaSettings(ProviderSettings):
    """api_key: private key; it also selects test or live mode. Without it no payment can be created.

    webhook_public_key: PEM (SPKI, RSA), newlines may be written as a literal \\n; several may follow each other while
    a key is rotated. Without it every webhook is refused.
    livemode: when set, a payment of the other mode is never confirmed. Set it to true in production.
    checkout_methods: what the hosted page offers, comma separated, in Conekta's vocabulary.
    success_url, failure_url: where the hosted page sends the buyer afterwards.
    anonymous_*: Conekta requires a customer on every order; these stand in where the buyer gave none.
    """

    model_config = SettingsConfigDict(env_prefix="CONEKTA_")

    api_url: str = "https://api.conekta.io"
    api_key: SecretStr | None = None
    webhook_public_key: str | None = None
    livemode: bool | None = None
    checkout_methods: Annotated[tuple[str, ...], NoDecode] = ("card", "bank_transfer")
    success_url: str | None = None
    failure_url: str | None = None
    anonymous_name: str = "Público en general"
    anonymous_email: str = "publico.general@example.com"
    anonymous_phone: str = "5500000000"

    @field_validator("checkout_methods", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("api_key", "webhook_public_key", "livemode", "success_url", "failure_url", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("webhook_public_key")
    @classmethod
    def _newlines(cls, value: str | None) -> str | None:
        return value.replace("\\n", "\n") if value else value


ACCOUNT: Final = AccountShape(
    settings=ConektaSettings,
    fields=(
        AccountField("api_key", secret=True, required=True),
        AccountField("webhook_public_key", lines=True),
    ),
    modes=lambda live: {"livemode": live},
)
