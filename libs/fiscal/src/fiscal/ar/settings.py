"""Settings of Argentina: FISCAL_AR_*."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from fiscal.settings import FiscalSettings


class ArgentinaSettings(FiscalSettings):
    """Addresses: scheme and host, with a prefix where there is one; `test_*` of homologación.

    ticket_minutes: for how long a ticket request is good. ticket_margin_seconds: before its end a ticket is replaced.
    ticket_wait_seconds: until WSAA is asked again after it refused a second ticket.
    identified_from: total in pesos from which a final consumer must be named (RG 5700/2025).
    weak_tls_hosts: whose keys are too short for OpenSSL's usual level; their certificates are verified all the same.
    """

    model_config = SettingsConfigDict(env_prefix="FISCAL_AR_", env_file=None, extra="ignore", frozen=True)

    wsaa_url: str = "https://wsaa.afip.gov.ar"
    wsfe_url: str = "https://servicios1.afip.gov.ar"
    test_wsaa_url: str = "https://wsaahomo.afip.gov.ar"
    test_wsfe_url: str = "https://wswhomo.afip.gov.ar"
    service: str = Field(default="wsfe", pattern=r"^[a-z0-9_]{1,32}$")
    ticket_minutes: int = Field(default=10, ge=1, le=720)
    ticket_margin_seconds: int = Field(default=300, ge=0, le=36_000)
    ticket_wait_seconds: int = Field(default=120, ge=1, le=3600)
    identified_from: Decimal = Field(default=Decimal("10000000.00"), gt=0, max_digits=15, decimal_places=2)
    weak_tls_hosts: frozenset[str] = frozenset({"servicios1.afip.gov.ar"})
