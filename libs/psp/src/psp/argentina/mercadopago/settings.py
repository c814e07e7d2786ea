"""Mercado Pago's keys and addresses, read from the environment (prefix MERCADOPAGO_) when asked for."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from psp.account_shape import AccountField, AccountShape
from psp.settings import ProviderSettings


class MercadoPagoSettings(ProviderSettings):
    """access_token: of the seller's application; it also selects test or live. Without it no payment can be created.

    webhook_secret: the application's secret signature; several, comma separated, while it is renewed. Without it every
    webhook is refused.
    webhook_tolerance_seconds: how old a signature may be. Mercado Pago names no tolerance, and does not say whether a
    repetition, which may come days later, is signed anew; so there is none by default.
    user_id: the seller's account; when set, a payment to another one is never confirmed. Set it in production.
    external_pos_id: the point of sale that dynamic QR codes belong to. Without it there are none.
    success_url, failure_url, pending_url: where the checkout sends the buyer afterwards.
    not_allowed_types: payment types the checkout leaves out, comma separated. `ticket` are cash vouchers, which are
    paid days later.
    anonymous_email: the checkout wants a payer; this stands in where the buyer gave none. Test accounts need an address
    at testuser.com.
    """

    model_config = SettingsConfigDict(env_prefix="MERCADOPAGO_")

    api_url: str = "https://api.mercadopago.com"
    access_token: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    webhook_tolerance_seconds: float | None = Field(default=None, gt=0)
    user_id: str | None = None
    external_pos_id: str | None = None
    success_url: str | None = None
    failure_url: str | None = None
    pending_url: str | None = None
    not_allowed_types: Annotated[tuple[str, ...], NoDecode] = ("ticket",)
    anonymous_email: str = "consumidor.final@example.com"

    @field_validator("not_allowed_types", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "access_token",
        "webhook_secret",
        "webhook_tolerance_seconds",
        "user_id",
        "external_pos_id",
        "success_url",
        "failure_url",
        "pending_url",
        mode="before",
    )
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


ACCOUNT: Final = AccountShape(
    settings=MercadoPagoSettings,
    fields=(
        AccountField("access_token", secret=True, required=True),
        AccountField("webhook_secret", secret=True),
        AccountField("user_id"),
        AccountField("external_pos_id"),
    ),
    identity=("user_id",),
)
