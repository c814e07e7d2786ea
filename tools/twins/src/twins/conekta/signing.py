"""Webhook keys: RSA-2048 pairs, the newest active one signs."""

from __future__ import annotations

import base64
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from twins.conekta import shapes
from twins.provider.book import Json
from twins.store import Store

_KEY = "conekta.webhook_key"
_OWN = "own"


class Keys:
    def __init__(self, store: Store, pem: str | None) -> None:
        """pem: the key that signs while no other has been made through the API."""
        self._store = store
        if pem is None:
            kept = store.get("conekta.meta", _OWN)
            pem = kept["pem"] if kept else _to_pem(generate_private_key(65537, 2048))
        own = _load(pem)
        store.put("conekta.meta", _OWN, {"pem": _to_pem(own)})
        self._own = own
        self._impostor: RSAPrivateKey | None = None
        self._made: RSAPrivateKey | None = None
        self._refresh()

    @property
    def public_key_pem(self) -> str:
        """Of the key that signs now."""
        return _public(self._made or self._own)

    def sign(self, body: bytes) -> str:
        """The DIGEST header of this body."""
        return _sign(self._made or self._own, body)

    def forge(self, body: bytes) -> str:
        """A signature of somebody who does not have the key."""
        if self._impostor is None:
            self._impostor = generate_private_key(65537, 2048)
        return _sign(self._impostor, body)

    def create(self, *, active: bool) -> Json:
        """The public key is in this answer and in no later one."""
        key = generate_private_key(65537, 2048)
        record: Json = {
            "id": shapes.hex_id(),
            "object": "webhook_key",
            "active": active,
            "livemode": False,
            "created_at": int(time.time()),
            "deactivated_at": None,
        }
        self._store.put(_KEY, record["id"], record | {"pem": _to_pem(key)})
        self._refresh()
        return record | {"public_key": _public(key)}

    def get(self, id: str) -> Json | None:
        found = self._store.get(_KEY, id)
        return _shown(found) if found else None

    def list(self) -> list[Json]:
        return [_shown(record) for record in self._store.newest(_KEY, 100)]

    def update(self, id: str, *, active: bool) -> Json | None:
        found = self._store.get(_KEY, id)
        if found is None:
            return None
        found |= {"active": active, "deactivated_at": None if active else int(time.time())}
        self._store.put(_KEY, id, found)
        self._refresh()
        return _shown(found)

    def delete(self, id: str) -> Json | None:
        found = self._store.get(_KEY, id)
        if found is None:
            return None
        self._store.delete(_KEY, id)
        self._refresh()
        return _shown(found) | {"deleted": True}

    def forget(self) -> None:
        """Back to the first key."""
        self._store.clear(_KEY)
        self._refresh()

    def _refresh(self) -> None:
        active = [record for record in self._store.newest(_KEY, 100) if record["active"]]
        self._made = _load(active[0]["pem"]) if active else None


def _shown(record: Json) -> Json:
    return {key: value for key, value in record.items() if key != "pem"} | {"public_key": None}


def _load(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the webhook key must be an RSA key")
    return key


def _sign(key: RSAPrivateKey, body: bytes) -> str:
    return base64.b64encode(key.sign(body, PKCS1v15(), hashes.SHA256())).decode()


def _public(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _to_pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
