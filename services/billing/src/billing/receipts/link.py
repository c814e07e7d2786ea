"""The buyer's way to a receipt: a link that works without an account and cannot be guessed."""

from __future__ import annotations

import base64
import hmac
from uuid import UUID

from chassis.crypto import BlindIndex


class ReceiptLinks:
    """Signs links with a keyed hash (128 bits) of the sale's id, so that nothing needs to be stored for them."""

    def __init__(self, public_url: str, hashed: BlindIndex) -> None:
        self._public_url = public_url.rstrip("/")
        self._hashed = hashed

    def url(self, sale_id: UUID) -> str:
        return f"{self._public_url}/api/v1/receipts/{sale_id}?key={self._key(sale_id)}"

    def opens(self, sale_id: UUID, key: str) -> bool:
        return hmac.compare_digest(self._key(sale_id).encode(), key.encode())

    def _key(self, sale_id: UUID) -> str:
        digest = self._hashed.of(str(sale_id), column="receipts.link")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
