"""Access tokens as nobody but auth could make them, and as nobody should."""

from __future__ import annotations

import base64
import time
from typing import Any

import orjson
from chassis.crypto import decode_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from .merchant import Json
from .stage import Stage


class Forger:
    """Knows auth's key, as nobody else should: what it signs is refused for what it says, not for its signature."""

    def __init__(self, stage: Stage, genuine: str) -> None:
        seed = decode_key(stage.suite.secrets["JWT_SECRET"])
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        self.key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": _encoded(seed), "x": _encoded(public)})
        self.header: Json = _part(genuine, 0)
        self.claims = claims(genuine)
        self.genuine = genuine

    def signed(self, header: Json | None = None, key: Any = None, **claims: Any) -> str:
        """A claim of None is left out."""
        kept = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        wanted = {**self.header, **(header or {})}
        return jwt.encode(wanted, kept, key or self.key, algorithms=[wanted["alg"]])

    def expired(self) -> str:
        now = int(time.time())
        return self.signed(exp=now - 60, iat=now - 960, nbf=now - 960)


def claims(token: str) -> Json:
    """What a token says."""
    found: Json = _part(token, 1)
    return found


def _part(token: str, number: int) -> Any:
    part = token.split(".")[number]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
