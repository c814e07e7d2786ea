"""Settings of this service: the shared ones, AUTH_*, and three secrets that no other service is given."""

from __future__ import annotations

from typing import Annotated

from chassis.crypto import decode_key
from chassis.settings import Environment, ServiceSettings
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

_PRODUCTION_COST = 12


class AuthSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="AUTH_", extra="ignore", frozen=True, env_file=None)

    # The Ed25519 seed that signs access tokens: 32 bytes, base64url.
    jwt_secret: SecretStr = Field(validation_alias="JWT_SECRET")
    # Seeds whose public keys are published but which sign nothing: the one before a rotation, or the one after it.
    previous_jwt_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    jwt_refresh_secret: SecretStr = Field(min_length=32, validation_alias="JWT_REFRESH_SECRET")
    password_pepper: SecretStr = Field(min_length=32, validation_alias="PASSWORD_PEPPER")

    bcrypt_cost: int = Field(default=_PRODUCTION_COST, ge=4, le=16)
    # Threads that hash, and how many requests may wait for one of them before the next is told to come back.
    password_threads: int = Field(default=2, ge=1, le=64)
    password_queue: int = Field(default=24, ge=1, le=1000)

    # Where KYC documents are kept, encrypted, such as file:///var/lib/cobro/documents.
    object_store_url: str
    # Uploads a process reads at once, each up to 15 MiB in memory, and seconds that one may take.
    kyc_uploads: int = Field(default=4, ge=1, le=100)
    kyc_upload_seconds: float = Field(default=60, gt=0, le=600)
    # Days that documents are kept after a review: of approved submissions, and of rejected or withdrawn ones.
    kyc_approved_days: int = Field(default=1825, ge=1)
    kyc_other_days: int = Field(default=90, ge=1)

    @field_validator("previous_jwt_secrets", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value

    @field_validator("jwt_secret")
    @classmethod
    def _seed(cls, value: SecretStr) -> SecretStr:
        decode_key(value.get_secret_value())
        return value

    @field_validator("previous_jwt_secrets")
    @classmethod
    def _seeds(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for item in value:
            decode_key(item.get_secret_value())
        return value

    @field_validator("bcrypt_cost")
    @classmethod
    def _strong_in_production(cls, value: int, info: ValidationInfo) -> int:
        common = info.data.get("common")
        if common is not None and common.environment is Environment.PRODUCTION and value < _PRODUCTION_COST:
            raise ValueError(f"must be at least {_PRODUCTION_COST} in production")
        return value
