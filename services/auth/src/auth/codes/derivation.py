"""The six digits of a code, derived from its id.

HMAC-SHA256(key, id) modulo a million, of all 256 bits, so that every code is as likely as any other. Nothing of a code
is stored: a plain hash of six digits is read back in a second, and a keyed one says no more than the id does to whoever
has the key, and no less to whoever has not. So the code can be told to the service that sends it, without ever having
been in a row, a log or a message.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final
from uuid import UUID

DIGITS: Final = 6


class CodeDerivation:
    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"one-time codes", sha256)

    def of(self, code_id: UUID) -> str:
        number = int.from_bytes(hmac.digest(self._key, code_id.bytes, sha256))
        return f"{number % 10**DIGITS:0{DIGITS}}"

    def fits(self, code_id: UUID, given: str) -> bool:
        """In a time that does not depend on how much of it is right."""
        return hmac.compare_digest(self.of(code_id).encode(), given.encode())
