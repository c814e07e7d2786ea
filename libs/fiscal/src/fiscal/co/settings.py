"""Settings of Colombia: FISCAL_CO_*."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from fiscal.settings import FiscalSettings


class Sending(StrEnum):
    """SYNC: SendBillSync, decided at once. ASYNC: SendBillAsync, decided later and asked for with GetStatusZip."""

    SYNC = "sync"
    ASYNC = "async"


class ColombiaSettings(FiscalSettings):
    """url, test_url: scheme and host of the DIAN's service, with a prefix where there is one; test_url of
    habilitación. The DIAN shows each participant its own.

    message_seconds: how long a signed message is good for. ask_again_seconds: between two looks at what is decided
    later. maker_*: who made this software, printed into every POS document (FabricanteSoftware).
    policy_*: the signature policy that every document names, and the SHA-256 of its PDF in base64.
    """

    model_config = SettingsConfigDict(env_prefix="FISCAL_CO_", env_file=None, extra="ignore", frozen=True)

    url: str = "https://vpfe.dian.gov.co"
    test_url: str = "https://vpfe-hab.dian.gov.co"
    sending: Sending = Sending.SYNC
    message_seconds: int = Field(default=300, ge=30, le=3600)
    ask_again_seconds: int = Field(default=5, ge=1, le=3600)
    maker_name: str = Field(default="Cobro", min_length=1, max_length=200)
    maker_company: str = Field(default="Cobro", min_length=1, max_length=200)
    maker_software: str = Field(default="Cobro", min_length=1, max_length=200)
    policy_url: str = "https://facturaelectronica.dian.gov.co/politicadefirma/v2/politicadefirmav2.pdf"
    policy_sha256: str = "dMoMvtcG5aIzgYo0tIsSQeVJBDnUnfSOfBpxXrmor0Y="
