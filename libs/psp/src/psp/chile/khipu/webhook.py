"""Khipu's webhooks (notifications 3.0): verify the bytes as received, then read them.

Header x-khipu-signature is `t=<epoch milliseconds>,s=<Base64>`, where s is the HMAC-SHA256, keyed with the secret of
the collection account, of t, a dot and the raw body. A webhook is sent when a payment is conciliated, and never else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from chassis.strict_json import InvalidJson, strict_json
from kernel import Clock, SystemClock
from pydantic import ValidationError

from psp.chile.khipu import wire
from psp.chile.khipu.mapping import NAME, instant
from psp.chile.khipu.settings import KhipuSettings
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookEvent, WebhookRequest

HEADER: Final = "x-khipu-signature"
EVENT_TYPE: Final = "payment.conciliated"

_MILLISECONDS = re.compile(r"[0-9]{1,14}", re.ASCII)
# How far their clock may run before ours.
_AHEAD = timedelta(minutes=5)


class KhipuWebhooks:
    name: ClassVar[str] = NAME
    evidence: ClassVar[frozenset[str]] = frozenset({HEADER})

    def __init__(self, settings: KhipuSettings, clock: Clock | None = None) -> None:
        written = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
        self._secrets = tuple(part.strip().encode() for part in written.split(",") if part.strip())
        self._tolerance = timedelta(seconds=settings.webhook_tolerance_seconds)
        self._clock = clock or SystemClock()

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        if not self._secrets:
            raise ProviderNotConfigured(NAME, "webhook_secret_missing")
        stamp, signature = _signature(request)
        signed = stamp.encode() + b"." + request.body
        if not any(hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature) for key in self._secrets):
            raise InvalidSignature(NAME, "signature_mismatch")
        age = self._clock.now() - _time_of(stamp)
        if age > self._tolerance:
            raise InvalidSignature(NAME, "signature_too_old")
        if age < -_AHEAD:
            raise InvalidSignature(NAME, "signature_from_the_future")

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        try:
            notification = wire.Notification.model_validate(strict_json(request.body))
        except (InvalidJson, ValidationError):
            raise MalformedWebhook(NAME, "unreadable_notification") from None
        return WebhookEvent(
            provider=NAME,
            # Not the payment alone: a second notification of another kind, should there come to be one, is not the
            # repetition of the first.
            event_id=f"{notification.payment_id}:{notification.conciliation_date or ''}",
            event_type=EVENT_TYPE,
            provider_ref=notification.payment_id,
            our_reference=notification.transaction_id or None,
            occurred_at=instant(notification.conciliation_date) or self._clock.now(),
        )


def _signature(request: WebhookRequest) -> tuple[str, bytes]:
    """The time as written, and what was signed with it. Raises InvalidSignature."""
    values = request.header_values(HEADER)
    if len(values) != 1:
        raise InvalidSignature(NAME, "signature_missing" if not values else "signature_repeated")
    # Base64 ends in equals signs, so only the first one of a part separates.
    pairs = [part.strip().partition("=") for part in values[0].split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "s"]
    if len(stamps) != 1 or len(signatures) != 1 or _MILLISECONDS.fullmatch(stamps[0]) is None:
        raise InvalidSignature(NAME, "signature_malformed")
    try:
        return stamps[0], base64.b64decode(signatures[0], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSignature(NAME, "signature_not_base64") from None


def _time_of(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp) / 1000, UTC)
