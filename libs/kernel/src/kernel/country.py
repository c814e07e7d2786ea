"""The four countries Cobro serves, and what follows from a country alone."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from kernel.money import Currency


class Country(StrEnum):
    MX = "MX"
    CO = "CO"
    AR = "AR"
    CL = "CL"

    @property
    def currency(self) -> Currency:
        return _CURRENCY[self]

    @property
    def vat_rate(self) -> Decimal:
        """General VAT rate, as a fraction (facts/fiscal.md 5.2)."""
        return _VAT[self]

    @property
    def time_zone(self) -> str:
        """IANA zone of the capital, the default for a new business."""
        return _ZONE[self]


_CURRENCY = {
    Country.MX: Currency.MXN,
    Country.CO: Currency.COP,
    Country.AR: Currency.ARS,
    Country.CL: Currency.CLP,
}
_VAT = {
    Country.MX: Decimal("0.16"),
    Country.CO: Decimal("0.19"),
    Country.AR: Decimal("0.21"),
    Country.CL: Decimal("0.19"),
}
_ZONE = {
    Country.MX: "America/Mexico_City",
    Country.CO: "America/Bogota",
    Country.AR: "America/Argentina/Buenos_Aires",
    Country.CL: "America/Santiago",
}
