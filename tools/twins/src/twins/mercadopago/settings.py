"""The Mercado Pago twin's settings (prefix TWINS_MERCADOPAGO_)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class MercadoPagoTwinSettings(BaseSettings):
    """webhook_url: where the application's notifications go; without it none are sent. webhook_secret: signs them.
    user_id: the seller. external_pos_id: the one point of sale there is.
    refund_seconds: how long a refund is under way, divided by TWINS_TIME_SCALE.

    What is documented in two ways, or not at all, is a switch: sign_lower_case, whether data.id is signed in lower
    case; ts_unit, of the signature; sign_qr, whether notifications of QR orders are signed; sign_again, whether a
    repetition is signed anew; replay_keys, whether a key that was used answers as the first time, or else 409.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_MERCADOPAGO_", env_file=None, extra="ignore", frozen=True)

    access_token: SecretStr = SecretStr("TEST-twin")
    webhook_url: str | None = None
    webhook_secret: SecretStr = SecretStr("mercadopago_twin")
    user_id: str = "1403498245"
    external_pos_id: str = "COBROPOS001"
    refund_seconds: float = Field(default=5.0, ge=0)
    sign_lower_case: bool = False
    ts_unit: Literal["ms", "s"] = "ms"
    sign_qr: bool = True
    sign_again: bool = False
    replay_keys: bool = True

    @field_validator("webhook_url", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value
