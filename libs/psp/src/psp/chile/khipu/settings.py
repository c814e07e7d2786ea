"""Khipu's keys and addresses, read from the environment (prefix KHIPU_) when asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from psp.account_shape import AccountField, AccountShape
from psp.settings import ProviderSettings


class Transfer(StrEnum):
    """simplified: Khipu leads the buyer through it. regular: the buyer types it at the bank."""

    SIMPLIFIED = "simplified"
    REGULAR = "regular"


class QrAddress(StrEnum):
    """app_url opens nothing but Khipu's application."""

    PAYMENT_URL = "payment_url"
    APP_URL = "app_url"


class RefundApi(StrEnum):
    """unified: POST /v3/refunds. payment: POST /v3/payments/{id}/refunds, which is the one Khipu's pages describe."""

    UNIFIED = "unified"
    PAYMENT = "payment"


class KhipuSettings(ProviderSettings):
    """api_key: of a collection account; one in developer mode is the sandbox. Without it nothing can be created.

    webhook_secret: of the collection account, not its API key; several, separated by commas, while it is changed.
    Without it every webhook is refused.
    webhook_tolerance_seconds: age of a signature that is still accepted. Khipu states none, repeats a webhook for two
    days and does not say whether it signs anew each time, so that less may lose one; a replay is recognised by its
    event id whatever its age.
    notify_url: where Khipu sends webhooks, told with each payment. Without it Khipu uses what the account says.
    receiver_id: number of the collection account; when set, a payment to another one is never confirmed.
    return_url, cancel_url: where Khipu's page sends the buyer, in either case before anything is decided.
    transfer, qr_address, refund_api: which of Khipu's addresses and endpoints is used.
    expiry_grace_seconds: Khipu gives each attempt three hours, and never says that a payment has expired.
    """

    model_config = SettingsConfigDict(env_prefix="KHIPU_")

    api_url: str = "https://payment-api.khipu.com"
    api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    webhook_tolerance_seconds: int = Field(default=49 * 3600, ge=1)
    notify_url: str | None = Field(default=None, max_length=1024)
    receiver_id: str | None = None
    return_url: str | None = Field(default=None, max_length=1024)
    cancel_url: str | None = Field(default=None, max_length=1024)
    transfer: Transfer = Transfer.SIMPLIFIED
    qr_address: QrAddress = QrAddress.PAYMENT_URL
    refund_api: RefundApi = RefundApi.UNIFIED
    expiry_grace_seconds: int = Field(default=3 * 3600, ge=0)

    @field_validator(
        "api_key", "webhook_secret", "notify_url", "receiver_id", "return_url", "cancel_url", mode="before"
    )
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


ACCOUNT: Final = AccountShape(
    settings=KhipuSettings,
    fields=(
        AccountField("api_key", secret=True, required=True),
        AccountField("webhook_secret", secret=True),
        AccountField("receiver_id"),
    ),
    identity=("receiver_id",),
    notify="notify_url",
)
