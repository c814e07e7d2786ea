"""Settings of Mexico: FISCAL_MX_*."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fiscal.settings import FiscalSettings

PacName = Literal["sw", "finkok"]


class MexicoSettings(FiscalSettings):
    """pacs: in the order they are tried; the next only where the one before it has certainly done nothing.

    *_test_url: of businesses whose profile says TEST. sw_query_path: how SW Sapien is asked for what it stamped under a
    customid; not in its public documentation, so to be confirmed with it. finkok_not_stamped: the codes by which
    `stamped` says that it has no such document (from others' sources).
    """

    model_config = SettingsConfigDict(env_prefix="FISCAL_MX_", env_file=None, extra="ignore", frozen=True)

    pacs: tuple[PacName, ...] = Field(default=("sw", "finkok"), min_length=1)

    sw_url: str = "https://services.sw.com.mx"
    sw_test_url: str = "https://services.test.sw.com.mx"
    sw_token: SecretStr = SecretStr("")
    sw_test_token: SecretStr = SecretStr("")
    sw_query_path: str = "/datawarehouse/v1/live/customid/{custom_id}"

    finkok_url: str = "https://facturacion.finkok.com"
    finkok_test_url: str = "https://demo-facturacion.finkok.com"
    finkok_user: str = ""
    finkok_password: SecretStr = SecretStr("")
    finkok_test_user: str = ""
    finkok_test_password: SecretStr = SecretStr("")
    finkok_not_stamped: tuple[str, ...] = ("603",)

    sat_url: str = "https://consultaqr.facturaelectronica.sat.gob.mx"
    sat_test_url: str = "https://pruebacfdiconsultaqr.cloudapp.net"
