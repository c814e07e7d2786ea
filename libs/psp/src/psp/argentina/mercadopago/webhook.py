"""Mercado Pago's webhooks: verify what is signed, then read the rest as a hint.

Header x-signature is `ts=<n>,v1=<hex>`; v1 is the HMAC-SHA256, under the application's secret, of the manifest
`id:<data.id>;request-id:<x-request-id>;ts:<ts>;`, whose data.id is the query parameter, and whose absent parts are left
out. The body is not covered by it. Three things are said in two ways, and both are taken:

- data.id is signed in lower case (documentation) or as it was sent (official SDK since 3.5);
- ts are milliseconds (newer samples) or seconds (older ones);
- QR notifications carry no valid signature (SDK) or do (guide of the Orders API). They need one here, or else anybody
  could set off readings; without one the payment is found out by reading on schedule.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import ClassVar

from chassis.strict_json import InvalidJson, strict_json
from kernel import Clock, SystemClock
from pydantic import ValidationError

from psp.argentina.mercadopago import wire
from psp.argentina.mercadopago.mapping import NAME
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookEvent, WebhookRequest

_TS = re.compile(r"[0-9]{9,16}", re.ASCII)
# With a semicolon in it, one part of the manifest could pose as two.
_PART = re.compile(r"[!-:<-~]{1,200}", re.ASCII)
_V1 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# Beyond this, a number of seconds would lie in the year 5138.
_MILLISECONDS_FROM = 100_000_000_000


class MercadoPagoWebhooks:
    name: ClassVar[str] = NAME
    evidence: ClassVar[frozenset[str]] = frozenset({"x-signature", "x-request-id", "data.id"})

    def __init__(self, settings: MercadoPagoSettings, clock: Clock | None = None) -> None:
        secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
        self._secrets = [part.strip().encode() for part in secret.split(",") if part.strip()]
        self._tolerance = settings.webhook_tolerance_seconds
        self._clock = clock or SystemClock()

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        if not self._secrets:
            raise ProviderNotConfigured(NAME, "webhook_secret_missing")
        ts, v1 = _signature(request)
        request_id = _one(request.header_values("x-request-id"), "request_id_repeated")
        data_id = _one(request.query_values("data.id"), "data_id_repeated")
        if not all(_PART.fullmatch(part) for part in (request_id, data_id) if part):
            raise InvalidSignature(NAME, "signature_ambiguous")
        # A proxy on the way gives a request without an id one of its own, which is then not in the manifest.
        manifests = {
            manifest(spelling, spoken, ts)
            for spelling in (data_id, data_id and data_id.lower())
            for spoken in (request_id, None)
        }
        if not any(_holds(secret, text, v1) for secret in self._secrets for text in manifests):
            raise InvalidSignature(NAME, "signature_mismatch")
        if self._tolerance is not None and abs((self._clock.now() - _instant(ts)).total_seconds()) > self._tolerance:
            raise InvalidSignature(NAME, "signature_outdated")

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        try:
            body = wire.Notification.model_validate(strict_json(request.body))
            ts, v1 = _signature(request)
            data_id = _one(request.query_values("data.id"), "data_id_repeated")
        except (InvalidJson, ValidationError, InvalidSignature):
            raise MalformedWebhook(NAME, "unreadable_event") from None
        # The body is not signed, so it may not speak of another resource than what is.
        if data_id is None or data_id.lower() != body.data.id.lower():
            raise MalformedWebhook(NAME, "unsigned_resource")
        is_order = body.type == "order"
        return WebhookEvent(
            provider=NAME,
            # The signature stands for all that is signed. A repetition that is signed anew counts as another event,
            # which only causes a reading.
            event_id=f"{data_id.lower()}:{v1}",
            event_type=body.action or body.type,
            provider_ref=body.data.id if is_order else None,
            our_reference=body.data.external_reference if is_order else None,
            occurred_at=body.date_created or _instant(ts),
        )


def manifest(data_id: str | None, request_id: str | None, ts: str) -> bytes:
    parts = (("id", data_id), ("request-id", request_id), ("ts", ts))
    return "".join(f"{name}:{value};" for name, value in parts if value).encode("ascii")


def _holds(secret: bytes, text: bytes, v1: str) -> bool:
    return hmac.compare_digest(hmac.new(secret, text, hashlib.sha256).hexdigest(), v1)


def _signature(request: WebhookRequest) -> tuple[str, str]:
    """ts and v1, of their exact forms."""
    header = _one(request.header_values("x-signature"), "signature_repeated")
    if header is None:
        raise InvalidSignature(NAME, "signature_missing")
    parts: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.partition("=")
        if parts.setdefault(name.strip(), value.strip()) != value.strip():
            raise InvalidSignature(NAME, "signature_ambiguous")
    ts, v1 = parts.get("ts", ""), parts.get("v1", "")
    if _TS.fullmatch(ts) is None or _V1.fullmatch(v1) is None:
        raise InvalidSignature(NAME, "signature_malformed")
    return ts, v1


def _one(values: list[str], repeated: str) -> str | None:
    """The only value, None for none or a blank one. One that is given twice could be read differently further on."""
    if len(values) > 1:
        raise InvalidSignature(NAME, repeated)
    return values[0].strip() or None if values else None


def _instant(ts: str) -> datetime:
    number = int(ts)
    try:
        return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS_FROM else number, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidSignature(NAME, "signature_malformed") from None
