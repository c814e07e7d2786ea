"""Links to a document's files, signed and good for a quarter of an hour: they need no token."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from chassis.crypto import BlindIndex
from kernel import Clock

File = Literal["pdf", "xml"]

_GOOD_FOR: Final = timedelta(minutes=15)


class DocumentLinks:
    """key: when it ends (Unix seconds), a dot, and 128 bits of a keyed hash over that, the document and the file."""

    def __init__(self, public_url: str, hashed: BlindIndex, clock: Clock) -> None:
        self._public_url = public_url.rstrip("/")
        self._hashed = hashed
        self._clock = clock

    def url(self, invoice_id: UUID, file: File) -> str:
        ends = int((self._clock.now() + _GOOD_FOR).timestamp())
        key = f"{ends}.{self._signature(invoice_id, file, ends)}"
        return f"{self._public_url}/api/v1/invoices/{invoice_id}/{file}?key={key}"

    def opens(self, invoice_id: UUID, file: File, key: str) -> bool:
        ends, _, signature = key.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return False
        known = self._signature(invoice_id, file, int(ends)).encode()
        return hmac.compare_digest(known, signature.encode()) and self._clock.now().timestamp() < int(ends)

    def _signature(self, invoice_id: UUID, file: File, ends: int) -> str:
        digest = self._hashed.of(f"{invoice_id}/{file}/{ends}", column="invoices.link")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
