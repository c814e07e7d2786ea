"""The two kinds of token a client holds."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from chassis.auth import Membership, Principal
from chassis.auth.tokens import ALGORITHM, TOKEN_TYPE
from joserfc import jwt
from kernel import new_id

from auth.keys.keyring import Keyring

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)
# However often it is refreshed, a session then asks for the password again.
SESSION_LIFETIME = timedelta(days=90)
# A client whose answer was lost on the way may ask again this long, and gets the same successor.
REUSE_GRACE = timedelta(seconds=10)
# Ids a token carries at most; with more it would outgrow the header limits of common proxies.
_CLAIMED_IDS = 60


class AccessTokens:
    """Signs access tokens: RFC 9068 claims, Ed25519 (RFC 9864), 15 minutes."""

    def __init__(self, keyring: Keyring, *, issuer: str, audience: str) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience

    def issue(self, principal: Principal, *, at: datetime) -> str:
        """at: the moment of issue, of which a token keeps whole seconds."""
        now = int(at.timestamp())
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._keyring.signing_key_id}
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "jti": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": now + int(ACCESS_LIFETIME.total_seconds()),
            **principal.claims(),
        }
        return jwt.encode(header, claims, self._keyring.signing_key, algorithms=[ALGORITHM])


class RefreshTokens:
    """Opaque tokens of 256 bits. Only a keyed hash is stored.

    A successor is derived from its predecessor under the secret, so that the same one can be given again within the
    grace without ever having been stored. Nobody without the secret can go from one to the next.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def first(self) -> str:
        return _encode(secrets.token_bytes(32))

    def successor(self, token: str) -> str:
        return _encode(self._keyed("successor", token))

    def digest(self, token: str) -> bytes:
        return self._keyed("digest", token)

    def _keyed(self, purpose: str, token: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{token}".encode(), sha256)


def claimable(memberships: Iterable[Membership]) -> dict[UUID, Membership]:
    """As many memberships, in their order, as a token has room for. A service asks auth about one that it misses."""
    room = _CLAIMED_IDS
    claimed = {}
    for membership in memberships:
        needed = 1 + len(membership.branch_ids)
        if needed <= room:
            claimed[membership.business_id] = membership
            room -= needed
    return claimed


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
