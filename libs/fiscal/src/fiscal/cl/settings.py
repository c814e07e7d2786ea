"""Where SII is, and what of its services is not confirmed (prefix FISCAL_CL_)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from fiscal.profile import Environment
from fiscal.settings import FiscalSettings


class ChileSettings(FiscalSettings):
    """*_boleta_url: seeds, tokens and states of boletas. *_boleta_upload_url: where boletas are uploaded. *_dte_url:
    all of the other documents. test_*: SII's certification.

    user_agent: SII answers none that does not look like this.
    token_minutes: for how long a token is used; SII ends one that is idle for an hour.
    batch_seconds, batch_size: how long documents are gathered for one envelope, and how many at most (SII takes 500
    boletas, and 2,000 other documents).
    poll_seconds: between questions for the decision.
    caf_months: for how long the folios of a type that gives a right to tax credit are good; of others for ever.
    """

    model_config = SettingsConfigDict(env_prefix="FISCAL_CL_")

    test_boleta_url: str = "https://apicert.sii.cl/recursos/v1"
    test_boleta_upload_url: str = "https://pangal.sii.cl/recursos/v1"
    test_dte_url: str = "https://maullin.sii.cl"
    production_boleta_url: str = "https://api.sii.cl/recursos/v1"
    production_boleta_upload_url: str = "https://rahue.sii.cl/recursos/v1"
    production_dte_url: str = "https://palena.sii.cl"
    user_agent: str = "Mozilla/4.0 (compatible; PROG 1.0; Cobro)"
    token_minutes: int = Field(default=50, ge=1, le=1440)
    batch_seconds: float = Field(default=0.05, ge=0, le=10)
    batch_size: int = Field(default=50, ge=1, le=500)
    poll_seconds: float = Field(default=2.0, gt=0, le=3600)
    caf_months: int = Field(default=6, ge=1, le=120)
    caf_expiring_types: Annotated[frozenset[str], NoDecode] = frozenset({"33", "34", "61"})

    @field_validator("caf_expiring_types", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return frozenset(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def poll(self) -> timedelta:
        return timedelta(seconds=self.poll_seconds)

    def addresses(self, environment: Environment) -> tuple[str, str, str]:
        """Boletas, their uploads, and all else."""
        if environment is Environment.PRODUCTION:
            return self.production_boleta_url, self.production_boleta_upload_url, self.production_dte_url
        return self.test_boleta_url, self.test_boleta_upload_url, self.test_dte_url
