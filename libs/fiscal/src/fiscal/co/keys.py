"""CUFE, CUDE and the software's security code: SHA-384 over joined texts (annex 1.9, 11.2, 11.4 and 11.8). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha384
from typing import Final

from fiscal.co.amounts import two

CATALOGUE: Final = "https://catalogo-vpfe.dian.gov.co/document/searchqr?documentkey="
TEST_CATALOGUE: Final = "https://catalogo-vpfe-hab.dian.gov.co/document/searchqr?documentkey="


@dataclass(frozen=True, slots=True)
class KeyParts:
    """number: prefix and number. date: YYYY-MM-DD. time: HH:MM:SS-05:00. issuer, receiver: without check digit.

    secret: the technical key of the invoice's range (CUFE), the software's PIN for every other document (CUDE).
    environment: "1" production, "2" habilitación.
    """

    number: str
    date: str
    time: str
    net: Decimal
    vat: Decimal
    consumption: Decimal
    total: Decimal
    issuer: str
    receiver: str
    secret: str = field(repr=False)
    environment: str
    municipal: Decimal = Decimal(0)


def document_key(parts: KeyParts) -> str:
    """The CUFE or CUDE: 96 hexadecimal digits."""
    text = "".join(
        (
            parts.number,
            parts.date,
            parts.time,
            two(parts.net),
            "01",
            two(parts.vat),
            "04",
            two(parts.consumption),
            "03",
            two(parts.municipal),
            two(parts.total),
            parts.issuer,
            parts.receiver,
            parts.secret,
            parts.environment,
        )
    )
    return sha384(text.encode()).hexdigest()


def security_code(software_id: str, pin: str, number: str) -> str:
    return sha384(f"{software_id}{pin}{number}".encode()).hexdigest()


def link(key: str, environment: str) -> str:
    """Where anybody sees the document at the DIAN: the content of its QR code."""
    return (CATALOGUE if environment == "1" else TEST_CATALOGUE) + key
