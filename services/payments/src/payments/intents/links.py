"""The address of a payment's own page, for providers whose page is only reached by a form of ours."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final
from uuid import UUID

from chassis.crypto import BlindIndex

_KEY_BYTES: Final = 32


def page_url(public_url: str, hashed: BlindIndex, payment_id: UUID) -> str:
    """The key in it: the payment's id and a keyed hash of it (128 bits), so nothing is stored and none is guessed."""
    key = base64.urlsafe_b64encode(payment_id.bytes + _proof(hashed, payment_id)).rstrip(b"=").decode()
    return f"{public_url}/api/v1/checkout/{key}"


def payment_of(hashed: BlindIndex, key: str) -> UUID | None:
    """The payment that a key opens; None where we did not make it."""
    try:
        decoded = base64.b64decode(key.encode() + b"=", altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(decoded) != _KEY_BYTES:
        return None
    payment_id = UUID(bytes=decoded[:16])
    return payment_id if hmac.compare_digest(decoded[16:], _proof(hashed, payment_id)) else None


def _proof(hashed: BlindIndex, payment_id: UUID) -> bytes:
    return hashed.of(str(payment_id), column="payments.checkout")
