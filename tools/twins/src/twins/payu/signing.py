"""PayU's signatures: a digest of values joined by tildes, the API key first, with a rounding rule for each place."""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

Digest = Literal["md5", "sha1", "sha256"]

# As a form names it.
DIGESTS: dict[str, Digest] = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256"}


def digest(kind: Digest, *parts: str) -> str:
    return hashlib.new(kind, "~".join(parts).encode(), usedforsecurity=False).hexdigest()


def confirmed_value(value: Decimal) -> str:
    """In a confirmation: two decimals, of which the second is left out when it is zero. 150.00 is 150.0."""
    text = f"{value:.2f}"
    return text[:-1] if text.endswith("0") else text


def shown_value(value: Decimal) -> str:
    """On the page the buyer comes back to: one decimal, half to even. 150.25 is 150.2, and 150.35 is 150.4."""
    return str(value.quantize(Decimal("0.1"), ROUND_HALF_EVEN))
