"""Settings of notifications: NOTIFICATIONS_*, and those of the providers by their names."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from notifications.callbacks.sendgrid import public_key
from notifications.channels.fcm import ServiceAccount
from notifications.channels.smtp import SmtpSecurity


class NotificationsSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", extra="ignore", frozen=True, env_file=None)

    http_port: int = 8107
    grpc_port: int | None = 9107

    # Seconds a provider may take to answer; two of them and auth must fit into a lease (delivery/sending.py).
    provider_timeout: float = Field(default=10, gt=0, le=17)
    # Minutes for which what a shop runs out of is gathered into one message.
    stock_digest_minutes: float = Field(default=15, ge=0, le=1440)

    twilio_api_url: str = Field(default="https://api.twilio.com", validation_alias="TWILIO_API_URL")
    twilio_account_sid: str = Field(validation_alias="TWILIO_ACCOUNT_SID", pattern=r"^[A-Za-z0-9]{1,64}$")
    twilio_auth_token: SecretStr = Field(validation_alias="TWILIO_AUTH_TOKEN")
    # The number, in E.164, that messages come from.
    twilio_from: str = Field(validation_alias="TWILIO_FROM")

    sendgrid_api_url: str = Field(default="https://api.sendgrid.com", validation_alias="SENDGRID_API_URL")
    sendgrid_api_key: SecretStr = Field(validation_alias="SENDGRID_API_KEY")
    # The verified address that e-mails come from.
    sendgrid_from: str = Field(validation_alias="SENDGRID_FROM")
    # Base64 (DER) of the key that signs SendGrid's event webhook; without it no report is taken.
    sendgrid_webhook_public_key: str = Field(default="", validation_alias="SENDGRID_WEBHOOK_PUBLIC_KEY")

    # The second provider of SMS, where a key is set.
    vonage_api_url: str = Field(default="https://api.nexmo.com", validation_alias="VONAGE_API_URL")
    vonage_api_key: str = Field(default="", validation_alias="VONAGE_API_KEY")
    vonage_api_secret: SecretStr = Field(default=SecretStr(""), validation_alias="VONAGE_API_SECRET")
    vonage_from: str = Field(default="", validation_alias="VONAGE_FROM")

    # The second way for e-mail, where a host is set.
    smtp_host: str = Field(default="", validation_alias="SMTP_HOST")
    smtp_port: int = Field(default=587, ge=1, le=65535, validation_alias="SMTP_PORT")
    smtp_security: SmtpSecurity = Field(default=SmtpSecurity.STARTTLS, validation_alias="SMTP_SECURITY")
    smtp_username: str = Field(default="", validation_alias="SMTP_USERNAME")
    smtp_password: SecretStr = Field(default=SecretStr(""), validation_alias="SMTP_PASSWORD")

    # Push, where a service account's key file (its JSON) is set.
    fcm_api_url: str = Field(default="https://fcm.googleapis.com", validation_alias="FCM_API_URL")
    # Instead of the token_uri that the key file names.
    fcm_token_url: str = Field(default="", validation_alias="FCM_TOKEN_URL")
    fcm_service_account: SecretStr = Field(default=SecretStr(""), validation_alias="FCM_SERVICE_ACCOUNT")

    @field_validator("fcm_service_account")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            ServiceAccount.parse(value.get_secret_value())
        return value

    @field_validator("sendgrid_webhook_public_key")
    @classmethod
    def _verifies(cls, value: str) -> str:
        if value:
            public_key(value)
        return value
