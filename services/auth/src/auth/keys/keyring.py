"""Ed25519 keys from their seeds: one signs, all are published."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from chassis.auth.tokens import ALGORITHM
from chassis.crypto import decode_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey


class Keyring:
    """A key's id is its RFC 7638 thumbprint, so that every process and every restart agree on it."""

    def __init__(self, current: str, others: Sequence[str] = ()) -> None:
        """Seeds in base64url. Raises ValueError on one that has not 32 bytes."""
        keys = [_key(seed) for seed in (current, *others)]
        self.signing_key = keys[0]
        self.signing_key_id = keys[0].thumbprint()
        self._by_id = {key.thumbprint(): key for key in keys}

    async def key(self, kid: str) -> OKPKey | None:
        """For this service's own verifier, which need not ask itself over HTTP."""
        return self._by_id.get(kid)

    def public(self) -> list[dict[str, Any]]:
        """JSON Web Keys (RFC 7517, RFC 8037), the signing one first."""
        return [
            {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
            for kid, key in self._by_id.items()
        ]


def _key(seed: str) -> OKPKey:
    private = decode_key(seed)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": encode_key(private), "x": encode_key(public)})


def encode_key(value: bytes) -> str:
    """base64url without padding, as keys are written everywhere here."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
