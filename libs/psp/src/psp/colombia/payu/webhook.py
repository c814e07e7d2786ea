"""PayU's confirmations: verify the values as received, then read them.

A confirmation is a form (application/x-www-form-urlencoded). Its field `sign` is a digest, keyed by nothing but the API
key at its beginning, of ApiKey~merchant_id~reference_sale~new_value~currency~state_pol, where new_value is `value` with
its second decimal left out when that is zero (150.00 is signed as 150.0). Nothing else of the form is signed, and there
is no time in it. It is sent when an attempt has come to its end: approved (4), expired (5), declined (6).
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime
from typing import ClassVar, Final
from urllib.parse import parse_qsl

from kernel import Clock, SystemClock

from psp.colombia.payu.mapping import BOGOTA, NAME, signature
from psp.colombia.payu.settings import Digest, PayuSettings
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookEvent, WebhookRequest

SIGNED: Final = ("merchant_id", "reference_sale", "value", "currency", "state_pol")
EVENT_TYPES: Final = {"4": "transaction.approved", "5": "transaction.expired", "6": "transaction.declined"}
OTHER_TYPE: Final = "transaction.other"

_LENGTHS: Final = {32: Digest.MD5, 40: Digest.SHA1, 64: Digest.SHA256}
_HEXADECIMAL = re.compile(r"[0-9a-f]{32,64}", re.ASCII)
_VALUE = re.compile(r"[0-9]{1,15}\.[0-9]{1,2}", re.ASCII)
_MAX_FIELDS: Final = 200


class PayuWebhooks:
    name: ClassVar[str] = NAME
    evidence: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: PayuSettings, clock: Clock | None = None) -> None:
        keys = (settings.api_key, settings.previous_api_key)
        self._keys = tuple(key.get_secret_value() for key in keys if key is not None)
        self._digests = settings.webhook_digests
        self._clock = clock or SystemClock()

    def verify_webhook_signature(self, request: WebhookRequest) -> None:
        if not self._keys:
            raise ProviderNotConfigured(NAME, "webhook_key_missing")
        fields = _fields(request.body)
        if fields is None:
            raise InvalidSignature(NAME, "not_a_form")
        sign = _only(fields, "sign")
        if sign is None:
            raise InvalidSignature(NAME, "signature_missing")
        digest = _LENGTHS.get(len(sign))
        if digest is None or digest not in self._digests or _HEXADECIMAL.fullmatch(sign) is None:
            raise InvalidSignature(NAME, "signature_malformed")
        parts = _signed(fields)
        if parts is None:
            raise InvalidSignature(NAME, "signed_field_missing")
        if not any(hmac.compare_digest(signature(key, parts, digest), sign) for key in self._keys):
            raise InvalidSignature(NAME, "signature_mismatch")

    def parse_webhook(self, request: WebhookRequest) -> WebhookEvent:
        fields = _fields(request.body)
        parts = None if fields is None else _signed(fields)
        if fields is None or parts is None:
            raise MalformedWebhook(NAME, "unreadable_confirmation")
        _, reference, value, currency, state = parts
        return WebhookEvent(
            provider=NAME,
            # transaction_id tells attempts apart, and reference_pol is the order, but neither is signed. Two attempts
            # that were declined alike are one event: the second says nothing the first did not.
            event_id=f"{reference}:{value}:{currency}:{state}",
            event_type=EVENT_TYPES.get(state, OTHER_TYPE),
            provider_ref=None,
            our_reference=reference,
            occurred_at=_instant(_only(fields, "transaction_date")) or self._clock.now(),
        )


def new_value(value: str) -> str | None:
    """The amount as a confirmation signs it; None for what is no amount."""
    if _VALUE.fullmatch(value) is None:
        return None
    units, _, decimals = value.partition(".")
    return f"{units}.{decimals[0]}" if decimals[1:] in ("", "0") else value


def _fields(body: bytes) -> list[tuple[str, str]] | None:
    try:
        # What is signed is ASCII; the rest may be in any encoding, and is not read.
        return parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None


def _only(fields: list[tuple[str, str]], name: str) -> str | None:
    """None where it is missing, empty or repeated: two readers could take different ones."""
    values = [value for key, value in fields if key == name]
    return values[0] if len(values) == 1 and values[0] else None


def _signed(fields: list[tuple[str, str]]) -> list[str] | None:
    """The signed values in their order. A tilde within one could pose as the border between two."""
    values = [_only(fields, name) for name in SIGNED]
    present = [value for value in values if value is not None and "~" not in value and len(value) <= 255]
    if len(present) != len(SIGNED):
        return None
    merchant, reference, value, currency, state = present
    rounded = new_value(value)
    return None if rounded is None else [merchant, reference, rounded, currency, state]


def _instant(text: str | None) -> datetime | None:
    """transaction_date, which names no time zone: PayU's clock stands in Bogotá."""
    try:
        return datetime.strptime(text or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BOGOTA).astimezone(UTC)
    except ValueError:
        return None
