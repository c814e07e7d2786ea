"""The Khipu twin's settings (prefix TWINS_KHIPU_)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class KhipuTwinSettings(BaseSettings):
    """api_key, secret, receiver_id: of the collection account; secret signs its webhooks.
    conciliation_seconds: how long a paid payment is verified. refund_seconds: how long a refund is under way. Both are
    divided by TWINS_TIME_SCALE.

    What is documented in two ways, or not at all, is a switch: create_status, of a creation; amounts, of a payment that
    is read, as numbers (documented) or as text (seen); deleted, whether a deleted payment can be read; list_refunds,
    whether a payment names its refunds; refunds, whether they are enabled; sign_again, whether a repeated webhook is
    signed anew.
    """

    model_config = SettingsConfigDict(env_prefix="TWINS_KHIPU_", env_file=None, extra="ignore", frozen=True)

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
