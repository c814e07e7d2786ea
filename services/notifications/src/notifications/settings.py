"""Settings of notifications: NOTIFICATIONS_*, TWILIO_* and SENDGRID_*."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict


class NotificationsSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", extra="ignore", frozen=True, env_file=None)

    http_port: int = 8107
    grpc_port: int | None = 9107

    # Seconds a provider may take to answer.
    provider_timeout: float = Field(default=10, gt=0, le=25)

    twilio_api_url: str = Field(default="https://api.twilio.com", validation_alias="TWILIO_API_URL")
    twilio_account_sid: str = Field(validation_alias="TWILIO_ACCOUNT_SID", pattern=r"^[A-Za-z0-9]{1,64}$")
    twilio_auth_token: SecretStr = Field(validation_alias="TWILIO_AUTH_TOKEN")
    # The number, in E.164, that messages come from.
    twilio_from: str = Field(validation_alias="TWILIO_FROM")

    sendgrid_api_url: str = Field(default="https://api.sendgrid.com", validation_alias="SENDGRID_API_URL")
    sendgrid_api_key: SecretStr = Field(validation_alias="SENDGRID_API_KEY")
    # The verified address that e-mails come from.
    sendgrid_from: str = Field(validation_alias="SENDGRID_FROM")
