"""Conekta's webhooks: verify the bytes as received, then read them.

Header DIGEST holds the Base64 of an RSA PKCS#1 v1.5 signature with SHA-256 over the raw body. There is no timestamp, so
a repetition is recognised by the event id alone, for ever.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import ClassVar

from chassis.strict_json import InvalidJson, strict_json
from cryptography.exceptions import InvalidSignature as SignatureMismatch
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import ValidationError

from psp.mexico.conekta import wire
from psp.mexico.conekta.mapping import NAME, REFERENCE_KEY
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookEvent, WebhookRequest

_PEM_BLOCK = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_MIN_KEY_BITS = 2048


class ConektaWebhooks:
    name: ClassVar[str] = NAME
    evidence: ClassVar[frozenset[str]] = frozenset({"digest"})

    def __init__(self, settings: ConektaSettings) -> None:
        """Raises ProviderNotConfigured for a key that is set and unusable; an absent key refuses each webhook."""
        self._keys = load_keys(settings.webhook_public_key) if settings.webhook_public_key else ()

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        if not self._keys:
            raise ProviderNotConfigured(NAME, "webhook_key_missing")
        signature = _signature(request)
        if not any(_holds(key, signature, request.body) for key in self._keys):
            raise InvalidSignature(NAME, "signature_mismatch")

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        try:
            event = wire.Event.model_validate(strict_json(request.body))
            resource = _resource(event)
        except (InvalidJson, ValidationError):
            raise MalformedWebhook(NAME, "unreadable_event") from None
        is_charge = resource is not None and resource.object == "charge"
        provider_ref = None if resource is None else resource.order_id if is_charge else resource.id
        return WebhookEvent(
            provider=NAME,
            event_id=event.id,
            event_type=event.type,
            provider_ref=provider_ref,
            our_reference=_reference(resource),
            occurred_at=datetime.fromtimestamp(event.created_at, UTC),
        )


def load_keys(pem: str) -> tuple[RSAPublicKey, ...]:
    keys = []
    for block in _PEM_BLOCK.findall(pem):
        try:
            key = load_pem_public_key(block.encode())
        except ValueError:
            raise ProviderNotConfigured(NAME, "webhook_key_unreadable") from None
        if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_KEY_BITS:
            raise ProviderNotConfigured(NAME, "webhook_key_unsuitable", "an RSA key of 2048 bits or more is needed")
        keys.append(key)
    if not keys:
        raise ProviderNotConfigured(NAME, "webhook_key_unreadable")
    return tuple(keys)


def _signature(request: WebhookRequest) -> bytes:
    values = request.header_values("digest")
    if len(values) != 1:
        raise InvalidSignature(NAME, "signature_missing" if not values else "signature_repeated")
    try:
        return base64.b64decode(values[0].strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSignature(NAME, "signature_not_base64") from None


def _holds(key: RSAPublicKey, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body, PKCS1v15(), hashes.SHA256())
    except SignatureMismatch:
        return False
    return True


def _resource(event: wire.Event) -> wire.EventResource | None:
    """Topics we do not follow (pings, payouts, chargebacks) have another shape there, and are not an error."""
    content = event.data.get("object")
    if isinstance(content, dict) and content.get("object") in ("order", "charge"):
        return wire.EventResource.model_validate(content)
    return None


def _reference(resource: wire.EventResource | None) -> str | None:
    if resource is None:
        return None
    value = (resource.metadata or {}).get(REFERENCE_KEY)
    return value if isinstance(value, str) else resource.reference_id
