"""The codes of SAT's catalogues that this package decides on; the schema knows all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fiscal.document import PaymentForm, Periodicity

# To nobody by name, and to a foreigner without an RFC.
PUBLIC_RFC: Final = "XAXX010101000"
FOREIGN_RFC: Final = "XEXX010101000"
PUBLIC_NAME: Final = "PUBLICO EN GENERAL"
PUBLIC_REGIME: Final = "616"
NO_EFFECT: Final = "S01"

# c_FormaPago. A card is said to be a credit card where nobody knows; a wallet pays through an intermediary.
PAYMENT_FORMS: Final[Mapping[PaymentForm, str]] = {
    PaymentForm.CASH: "01",
    PaymentForm.TRANSFER: "03",
    PaymentForm.CARD: "04",
    PaymentForm.WALLET: "31",
    PaymentForm.OTHER: "31",
}

PERIODICITIES: Final[Mapping[Periodicity, str]] = {
    Periodicity.DAILY: "01",
    Periodicity.WEEKLY: "02",
    Periodicity.FORTNIGHTLY: "03",
    Periodicity.MONTHLY: "04",
}

# c_RegimenFiscal, in force.
REGIMES: Final = frozenset(
    "601 603 605 606 607 608 610 611 612 614 615 616 620 621 622 623 624 625 626".split()  # noqa: SIM905
)
# Whose receivers may deduct what is taken back (G02); others get S01.
_DEDUCTING: Final = frozenset("601 603 606 612 616 620 621 622 623 624 625 626".split()) - {"616"}  # noqa: SIM905

# c_TipoRelacion
CREDIT: Final = "01"
RETURN: Final = "03"
SUBSTITUTION: Final = "04"

# What a credit note over money alone, and a sale within a global invoice, is said to be.
BILLING_SERVICES: Final = "84111506"
GENERAL_PRODUCT: Final = "01010101"
PIECE: Final = "H87"
ACTIVITY: Final = "ACT"

MOTIVES: Final[Mapping[str, str]] = {
    "01": "Comprobante emitido con errores con relación",
    "02": "Comprobante emitido con errores sin relación",
    "03": "No se llevó a cabo la operación",
    "04": "Operación nominativa relacionada en la factura global",
}


def use_of_credit(regime: str) -> str:
    return "G02" if regime in _DEDUCTING else NO_EFFECT
