"""The PayU twin's settings (prefix TWINS_PAYU_)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class PayuTwinSettings(BaseSettings):
    """api_key, api_login, merchant_id, account_id: of the merchant; the defaults are those PayU publishes for its
    sandbox. webhook_url: where confirmations go that name no address, as PayU's panel has it.
    refund_seconds: how long a refund is under review. min_refund_age_seconds: how old a payment must be to be given
    back, which PayU wants to be ten minutes. Both are divided by TWINS_TIME_SCALE. pse_seconds: how long a
    bank waits.

    What is documented in two ways, or not at all, is a switch: digest, of a confirmation's sign; error_status, the HTTP
    status of an answer whose code is ERROR; absent, how a query says that there is nothing; partial_status, what an
    order becomes by a partial refund; show_bank_url, whether a query repeats where the bank waits; unique_references,
    whether a second order of one reference is refused.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_PAYU_", env_file=None, extra="ignore", frozen=True)

    api_key: SecretStr = SecretStr("4Vj8eK4rloUd272L48hsrarnUA")
    api_login: SecretStr = SecretStr("pRRXKOl8ikMmt9u")
    merchant_id: int = Field(default=508029, gt=0)
    account_id: int = Field(default=512321, gt=0)
    webhook_url: str | None = None
    refund_seconds: float = Field(default=20.0, ge=0)
    min_refund_age_seconds: float = Field(default=0.0, ge=0)
    pse_seconds: float = Field(default=1800.0, gt=0)
    digest: Literal["md5", "sha1", "sha256"] = "md5"
    error_status: int = Field(default=200, ge=200, le=499)
    absent: Literal["result", "payload", "list", "error"] = "result"
    partial_status: str = "CAPTURED"
    show_bank_url: bool = True
    unique_references: bool = False
