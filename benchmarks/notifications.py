"""Conekta notifications, signed with the suite's key."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class Notifications:
    def __init__(self, private_key_pem: str) -> None:
        key = load_pem_private_key(private_key_pem.replace("\\n", "\n").encode(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key

    def _signed(self, event: dict[str, Any]) -> tuple[bytes, str]:
        body = json.dumps(event).encode()
        return body, base64.b64encode(self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()

    def paid(self, provider_ref: str, reference: str) -> tuple[bytes, str]:
        order = {"object": "order", "id": provider_ref, "metadata": {"cobro_payment_id": reference}}
        return self._signed(_event("order.paid", {"object": order}))

    def write(self, path: Path, count: int) -> None:
        """A file of "<signature> <body>" lines about nothing payments would look up, for measuring the intake alone."""
        with path.open("wb") as file:
            for _ in range(count):
                body, signature = self._signed(_event("webhook_ping", {"action": "ping"}))
                file.write(signature.encode() + b" " + body + b"\n")


def _event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex[:24],
        "object": "event",
        "type": kind,
        "livemode": False,
        "created_at": 1768500000,
        "data": data,
    }
