"""Encryption of personal data at rest, and look-ups over it.

Envelope: `v1.<key id>.<base64url(nonce || ciphertext || tag)>`, AES-256-GCM with a random 96-bit nonce. The associated
data binds a value to its place (`table.column:row id`), so that a ciphertext moved to another row does not decrypt.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"


class DecryptionFailed(Exception):
    """The value was altered, moved from another row, or written under a key that is gone."""


def decode_key(value: str, *, size: int = 32) -> bytes:
    """A base64url key of exactly `size` bytes; padding is optional."""
    try:
        key = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("key is not base64url") from None
    if len(key) != size:
        raise ValueError(f"key must have {size} bytes")
    return key


class FieldCipher:
    """Encrypts single values. The first key is used to write; every key can read."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("at least one encryption key is needed")
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self.current_key_id = next(iter(keys))

    @classmethod
    def parse(cls, value: str) -> FieldCipher:
        """From "kid:base64url32[,kid:base64url32…]", the current key first."""
        pairs = (item.strip().partition(":") for item in value.split(",") if item.strip())
        return cls({kid: decode_key(key) for kid, _, key in pairs})

    def encrypt(self, plain: str | bytes, *, context: str) -> str:
        data = plain.encode() if isinstance(plain, str) else plain
        nonce = os.urandom(12)
        sealed = nonce + self._ciphers[self.current_key_id].encrypt(nonce, data, context.encode())
        return f"{_VERSION}.{self.current_key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def decrypt_bytes(self, envelope: str, *, context: str) -> bytes:
        version, kid, payload = (*envelope.split(".", 2), "", "")[:3]
        cipher = self._ciphers.get(kid)
        if version != _VERSION or cipher is None:
            raise DecryptionFailed("unknown envelope version or key id")
        try:
            sealed = base64.urlsafe_b64decode(payload)
            return cipher.decrypt(sealed[:12], sealed[12:], context.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise DecryptionFailed("value does not decrypt in this place") from None

    def decrypt(self, envelope: str, *, context: str) -> str:
        return self.decrypt_bytes(envelope, context=context).decode()

    def is_current(self, envelope: str) -> bool:
        return envelope.startswith(f"{_VERSION}.{self.current_key_id}.")


class BlindIndex:
    """A keyed hash by which an encrypted value can be found again. It reveals equality, and nothing else."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def parse(cls, value: str) -> BlindIndex:
        return cls(decode_key(value))

    def of(self, value: str, *, column: str) -> bytes:
        """128 bits over the column's name and the value, which the caller has normalised."""
        return hmac.digest(self._key, f"{column}\0{value}".encode(), sha256)[:16]
