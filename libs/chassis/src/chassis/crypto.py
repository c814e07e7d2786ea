"""Encryption of personal data at rest, and look-ups over it.

Envelope: `v1.<key id>.<base64url(nonce || ciphertext || tag)>`, AES-256-GCM with a random 96-bit nonce. The associated
data binds a value to its place (`table.column:row id`), so that a ciphertext moved to another row does not decrypt.
Files have the same envelope with the bytes as they are instead of base64url.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = "v1"
_NONCE: Final = 12
# No dot, which ends it in an envelope.
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


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
        if not all(map(_KEY_ID.fullmatch, keys)):
            raise ValueError("a key id is 1 to 32 characters of A-Z a-z 0-9 _ -")
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self.current_key_id = next(iter(keys))

    @classmethod
    def parse(cls, value: str) -> FieldCipher:
        """From "kid:base64url32[,kid:base64url32…]", the current key first."""
        pairs = [item.strip().partition(":") for item in value.split(",") if item.strip()]
        keys = {kid: decode_key(key) for kid, _, key in pairs}
        if len(keys) != len(pairs):
            raise ValueError("two encryption keys have the same id")
        return cls(keys)

    @property
    def current_prefix(self) -> str:
        """What every envelope under the current key begins with."""
        return prefix_of(self.current_key_id)

    @property
    def other_key_ids(self) -> frozenset[str]:
        """Keys that can still be read with."""
        return frozenset(self._ciphers) - {self.current_key_id}

    def encrypt(self, plain: str | bytes, *, context: str) -> str:
        data = plain.encode() if isinstance(plain, str) else plain
        return self.current_prefix + base64.urlsafe_b64encode(self._sealed(data, context)).decode()

    def decrypt_bytes(self, envelope: str, *, context: str) -> bytes:
        version, kid, payload = (*envelope.split(".", 2), "", "")[:3]
        try:
            sealed = base64.urlsafe_b64decode(payload)
        except (binascii.Error, ValueError):
            raise _does_not_decrypt() from None
        return self._opened(version, kid, sealed, context)

    def decrypt(self, envelope: str, *, context: str) -> str:
        return self.decrypt_bytes(envelope, context=context).decode()

    def encrypt_file(self, content: bytes, *, context: str) -> bytes:
        """For megabytes: call it in a thread."""
        return self.current_prefix.encode() + self._sealed(content, context)

    def decrypt_file(self, envelope: bytes, *, context: str) -> bytes:
        version, kid, sealed = (*envelope.split(b".", 2), b"", b"")[:3]
        return self._opened(version.decode("latin-1"), kid.decode("latin-1"), sealed, context)

    def _sealed(self, data: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers[self.current_key_id].encrypt(nonce, data, context.encode())

    def _opened(self, version: str, kid: str, sealed: bytes, context: str) -> bytes:
        cipher = self._ciphers.get(kid)
        if version != _VERSION or cipher is None:
            raise DecryptionFailed("unknown envelope version or key id")
        try:
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except (InvalidTag, ValueError):
            raise _does_not_decrypt() from None

    def is_current(self, envelope: str) -> bool:
        return envelope.startswith(self.current_prefix)


def prefix_of(key_id: str) -> str:
    """What every envelope under this key begins with."""
    return f"{_VERSION}.{key_id}."


def key_id_of(envelope: str | bytes) -> str | None:
    """The id of the key that an envelope was written under; None for what is no envelope."""
    head = envelope[: len(_VERSION) + 34]
    version, _, rest = (head if isinstance(head, str) else head.decode("latin-1")).partition(".")
    kid, dot, _ = rest.partition(".")
    return kid if version == _VERSION and dot and _KEY_ID.fullmatch(kid) else None


def _does_not_decrypt() -> DecryptionFailed:
    return DecryptionFailed("value does not decrypt in this place")


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
