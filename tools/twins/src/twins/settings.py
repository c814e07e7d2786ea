"""Where the twins listen, what they remember and which credentials they accept (prefix TWINS_).

Each payment provider's twin has settings of its own beside it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from twins.conekta.settings import ConektaTwinSettings
from twins.khipu.settings import KhipuTwinSettings
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.payu.settings import PayuTwinSettings


class TwinsSettings(BaseSettings):
    """data_dir: without it everything is forgotten at exit.
    public_url: base of the links handed out; default: where the twins listen.
    twilio_*, sendgrid_api_key, vonage_*, fcm_private_key (PEM of the service account): when unset, any well-formed
    credentials do.
    sendgrid_private_key (PEM, P-256), sendgrid_webhook_url: who signs the event webhook, and where it goes; without
    both there is none.
    smtp_port: of the mail server; without it there is none.
    message_reports: whether what became of SMS and e-mails is posted to whoever asked for it.
    time_scale: delays between webhook attempts are divided by it.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_", env_file=None, extra="ignore", frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8190, ge=0, le=65535)
    public_url: str | None = None
    data_dir: Path | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    sendgrid_api_key: SecretStr | None = None
    sendgrid_private_key: SecretStr | None = None
    sendgrid_webhook_url: str | None = None
    vonage_api_key: str | None = None
    vonage_api_secret: SecretStr | None = None
    fcm_private_key: SecretStr | None = None
    message_reports: bool = True
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    time_scale: float = Field(default=1.0, gt=0)
    conekta: ConektaTwinSettings = Field(default_factory=ConektaTwinSettings)
    khipu: KhipuTwinSettings = Field(default_factory=KhipuTwinSettings)
    mercadopago: MercadoPagoTwinSettings = Field(default_factory=MercadoPagoTwinSettings)
    payu: PayuTwinSettings = Field(default_factory=PayuTwinSettings)

    @field_validator(
        "public_url",
        "data_dir",
        "twilio_account_sid",
        "twilio_auth_token",
        "sendgrid_api_key",
        "sendgrid_private_key",
        "sendgrid_webhook_url",
        "vonage_api_key",
        "vonage_api_secret",
        "fcm_private_key",
        "smtp_port",
        mode="before",
    )
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")
