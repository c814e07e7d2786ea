"""Twilio's status callback: a form, signed with the account's auth token over the address and the form.

X-Twilio-Signature is base64(HMAC-SHA1(auth token, URL + each field's name and value, by name)), the URL being the
whole one that Twilio was given (https://www.twilio.com/docs/usage/security#validating-requests).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha1
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from kernel import InvalidInput

from notifications.callbacks.report import Report
from notifications.delivery.progress import DeliveryStatus

HEADER: Final = "X-Twilio-Signature"
_STATUS: Final[Mapping[str, DeliveryStatus]] = {
    "accepted": DeliveryStatus.ACCEPTED,
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.ACCEPTED,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.UNDELIVERED,
    "canceled": DeliveryStatus.UNDELIVERED,
}
_MAX_FIELDS: Final = 100


def fields_of(body: bytes) -> Sequence[tuple[str, str]]:
    """The form's fields in their order. Raises InvalidInput."""
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise InvalidInput("The body is no form", code="form_invalid") from None


def is_signed(url: str, fields: Sequence[tuple[str, str]], signature: str, auth_token: str) -> bool:
    signed = url + "".join(name + value for name, value in sorted(fields))
    # SHA-1 is Twilio's choice; in an HMAC nothing known breaks it.
    expected = base64.b64encode(hmac.digest(auth_token.encode(), signed.encode("utf-8", "replace"), sha1))
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def report(notification_id: UUID, fields: Sequence[tuple[str, str]]) -> Report | None:
    """None for a status that says nothing of a delivery."""
    values = dict(fields)
    said, sid = values.get("MessageStatus", ""), values.get("MessageSid", "")
    status = _STATUS.get(said)
    if status is None or not sid.isalnum() or len(sid) > 64:
        return None
    code = values.get("ErrorCode", "")
    answer = f"{said} {code}" if code.isascii() and code.isdigit() and len(code) < 10 else said
    # Twilio has no name for a report, and sends each status of a message once.
    return Report(notification_id, f"{sid}:{said}", status, answer, provider_message_id=sid)
