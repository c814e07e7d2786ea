"""PayU Latam's keys and addresses, read from the environment (prefix PAYU_) when asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from psp.account_shape import AccountField, AccountShape
from psp.settings import ProviderSettings


class Digest(StrEnum):
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"


class PayuSettings(ProviderSettings):
    """api_key, api_login, merchant_id, account_id: of the merchant at PayU; all four, or nothing can be created. The
    account is the one of Colombia. The sandbox has credentials and addresses of its own.

    previous_api_key: also accepted in confirmations, while the key is changed.
    webhook_digests: of a confirmation's `sign`. PayU's page shows all three and never says which one an account gets.
    signature_digest: of what we sign ourselves.
    notify_url: where PayU confirms, told with each payment. Without it PayU uses what its panel says.
    response_url: where PayU sends the buyer's browser, in either case before anything is decided. A PSE payment without
    it goes back to the page of the payment.
    payment_methods: what the checkout page offers, in PayU's vocabulary; all that the account has by default.
    captured_statuses: of an order whose approved payment counts as paid. What an order becomes by a partial refund is
    not documented.
    test: marks payments as tests. livemode: when set, a payment of the other mode is never confirmed.
    banks_seconds: for how long the list of banks is remembered. PayU wants it renewed every day.
    expiry_grace_seconds: for how long after the expiry a buyer who opened the checkout in time may still come.
    refund_decision_seconds: when a refund of which nothing is seen counts as never received. PayU decides within three
    business days, and shows nothing before.
    first_reading_seconds, reading_interval_seconds: how soon after its creation a payment is read for the first time,
    and how long readings are apart at least. PayU asks for seven and for ten minutes.
    timeout_seconds: PayU answers within three seconds on average and a minute at most.
    anonymous_*: the checkout wants to know the buyer; these stand in where nothing is known.
    """

    model_config = SettingsConfigDict(env_prefix="PAYU_")

    api_url: str = "https://api.payulatam.com"
    checkout_url: str = "https://checkout.payulatam.com/ppp-web-gateway-payu/"
    api_key: SecretStr | None = None
    api_login: SecretStr | None = None
    merchant_id: str | None = None
    account_id: str | None = Field(default=None, pattern=r"^[0-9]{1,12}$")
    previous_api_key: SecretStr | None = None
    webhook_digests: Annotated[frozenset[Digest], NoDecode] = frozenset(Digest)
    signature_digest: Digest = Digest.MD5
    notify_url: str | None = Field(default=None, max_length=2048)
    response_url: str | None = Field(default=None, max_length=255)
    payment_methods: Annotated[tuple[str, ...], NoDecode] = ()
    captured_statuses: Annotated[frozenset[str], NoDecode] = frozenset({"CAPTURED"})
    test: bool = False
    livemode: bool | None = None
    banks_seconds: int = Field(default=86_400, ge=0)
    expiry_grace_seconds: int = Field(default=900, ge=0)
    refund_decision_seconds: int = Field(default=7 * 86_400, ge=0)
    first_reading_seconds: int = Field(default=420, ge=0)
    reading_interval_seconds: int = Field(default=600, ge=0)
    timeout_seconds: float = Field(default=60.0, gt=0, le=120)
    anonymous_name: str = "Consumidor final"
    anonymous_email: str = "consumidor.final@example.com"
    anonymous_phone: str = "6010000000"

    @field_validator("webhook_digests", "payment_methods", "captured_statuses", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "api_key",
        "api_login",
        "merchant_id",
        "account_id",
        "previous_api_key",
        "notify_url",
        "response_url",
        "livemode",
        mode="before",
    )
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


ACCOUNT: Final = AccountShape(
    settings=PayuSettings,
    fields=(
        AccountField("api_key", secret=True, required=True),
        AccountField("api_login", secret=True, required=True),
        AccountField("merchant_id", required=True),
        AccountField("account_id", required=True),
    ),
    identity=("merchant_id", "account_id"),
    notify="notify_url",
    cleared=("previous_api_key",),
    modes=lambda live: {"test": not live, "livemode": True if live else None},
)
