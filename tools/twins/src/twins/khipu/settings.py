"""The Khipu twin's settings (prefix TWINS_KHIPU_)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


@dataclass(frozen=True, slots=True)
class KhipuAccount:
    secret: str
    receiver_id: int


class KhipuTwinSettings(BaseSettings):
    """api_key, secret, receiver_id: of the collection account; secret signs its webhooks. accounts: further ones, as
    "key:secret:number,…"; none sees the payments of another.
    conciliation_seconds: how long a paid payment is verified. refund_seconds: how long a refund is under way. Both are
    divided by TWINS_TIME_SCALE.

    What is documented in two ways, or not at all, is a switch: create_status, of a creation; amounts, of a payment that
    is read, as numbers (documented) or as text (seen); deleted, whether a deleted payment can be read; list_refunds,
    whether a payment names its refunds; refunds, whether they are enabled; sign_again, whether a repeated webhook is
    signed anew.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_KHIPU_", env_file=None, extra="ignore", frozen=True)

    accounts: Annotated[dict[str, KhipuAccount], NoDecode] = Field(default_factory=dict, repr=False)
    api_key: SecretStr = SecretStr("khipu-key-twin")
    secret: SecretStr = SecretStr("khipu-secret-twin")
    receiver_id: int = Field(default=990939, gt=0)
    conciliation_seconds: float = Field(default=0.0, ge=0)
    refund_seconds: float = Field(default=20.0, ge=0)
    create_status: int = Field(default=200, ge=200, le=201)
    amounts: Literal["number", "text"] = "number"
    deleted: Literal["shown", "absent"] = "shown"
    list_refunds: bool = True
    refunds: bool = True
    sign_again: bool = False

    @field_validator("accounts", mode="before")
    @classmethod
    def _accounts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [item.strip().split(":") for item in value.split(",") if item.strip()]
        return {key: KhipuAccount(secret, int(number)) for key, secret, number in parts}

    def account_of(self, api_key: str) -> KhipuAccount | None:
        """None for a key that nobody has."""
        own = self.api_key.get_secret_value()
        if hmac.compare_digest(api_key.encode(), own.encode()):
            return KhipuAccount(self.secret.get_secret_value(), self.receiver_id)
        return self.accounts.get(api_key)

    def secret_of(self, receiver_id: int) -> str:
        """What the account's webhooks are signed with; of several keys, with the newest's."""
        found = [account.secret for account in self.accounts.values() if account.receiver_id == receiver_id]
        return found[-1] if found else self.secret.get_secret_value()
