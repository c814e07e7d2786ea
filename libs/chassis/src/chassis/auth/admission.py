"""The gateway's word that it has just checked a token's session, so that no service behind it checks it again.

Header `x-cobro-admission: <unix seconds>.<HMAC-SHA256, base64url without padding>`, the MAC over
`<unix seconds>.<bearer token>` under a key derived from SERVICE_AUTH_SECRET. It is bound to one token and good for a
minute; the gateway drops the one a client sends. What comes without it has not passed the gateway, and the service
checks the session itself.
"""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final

HEADER: Final = "x-cobro-admission"
LIFETIME: Final = 60
# How far the clocks of two machines may be apart.
_SKEW: Final = 5
_LABEL: Final = b"cobro admission 1"
_LONGEST: Final = 64


class AdmissionSeal:
    """Signs at the gateway, checks in the services. `now`: Unix seconds."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(secret.encode(), _LABEL, sha256)
        self._now = now

    def sign(self, token: str) -> str:
        """The header's value for a request with this bearer token, whose session is active at this moment."""
        return self._sealed(str(int(self._now())), token)

    def admits(self, token: str, value: str | None) -> bool:
        """Whether `value` is the gateway's, for this token, and fresh. Anything may be given for `value`."""
        if value is None or len(value) > _LONGEST:
            return False
        seconds = value.partition(".")[0]
        if not (seconds.isascii() and seconds.isdigit()):
            return False
        if not -_SKEW <= self._now() - int(seconds) <= LIFETIME:
            return False
        return hmac.compare_digest(self._sealed(seconds, token).encode(), value.encode())

    def _sealed(self, seconds: str, token: str) -> str:
        digest = hmac.digest(self._key, f"{seconds}.{token}".encode(), sha256)
        return f"{seconds}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"
