"""SendGrid's event webhook: a JSON array, signed with ECDSA over the timestamp's header and the bytes of the body.

Key: P-256, given as base64 of its SubjectPublicKeyInfo. Signature: base64 of DER, SHA-256. A repetition is recognised
by `sg_event_id`, so a replay does nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from chassis.strict_json import InvalidJson, strict_json
from kernel import InvalidInput

from notifications.callbacks.report import Report
from notifications.delivery.progress import DeliveryStatus

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SIGNATURE_HEADER: Final = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER: Final = "X-Twilio-Email-Event-Webhook-Timestamp"
_STATUS: Final[Mapping[str, DeliveryStatus]] = {
    "processed": DeliveryStatus.ACCEPTED,
    "deferred": DeliveryStatus.DELAYED,
    "delivered": DeliveryStatus.DELIVERED,
    "bounce": DeliveryStatus.UNDELIVERED,
    "dropped": DeliveryStatus.UNDELIVERED,
    # It arrived, and was not welcome.
    "spamreport": DeliveryStatus.DELIVERED,
    "unsubscribe": DeliveryStatus.DELIVERED,
    "group_unsubscribe": DeliveryStatus.DELIVERED,
}
_UNWANTED: Final = frozenset({"spamreport", "unsubscribe", "group_unsubscribe"})
_MAX_EVENTS: Final = 5_000


def public_key(text: str) -> EllipticCurvePublicKey:
    """Raises ValueError."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise ValueError("is no public key in base64") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("is no key of an elliptic curve")
    return key


def is_signed(key: EllipticCurvePublicKey, body: bytes, *, signature: str, timestamp: str) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        given = base64.b64decode(signature, validate=True)
        key.verify(given, timestamp.encode("utf-8", "replace") + body, ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def reports(body: bytes) -> Sequence[Report]:
    """Those about messages of ours. Raises InvalidInput."""
    try:
        events = strict_json(body)
    except InvalidJson:
        raise InvalidInput("The body is no JSON", code="json_invalid") from None
    if not isinstance(events, list) or len(events) > _MAX_EVENTS:
        raise InvalidInput("The body is no list of events", code="events_invalid")
    return [found for event in events if isinstance(event, dict) and (found := _report(event)) is not None]


def _report(event: Mapping[str, Any]) -> Report | None:
    kind, event_id = event.get("event"), event.get("sg_event_id")
    status = _STATUS.get(kind) if isinstance(kind, str) else None
    if status is None or not isinstance(event_id, str) or not _plain(event_id, 128):
        return None
    try:
        notification_id = UUID(str(event.get("notification_id")))
    except ValueError:
        return None
    code = event.get("status")
    answer = f"{kind} {code}" if isinstance(code, str) and _plain(code, 20) else str(kind)
    message_id = event.get("sg_message_id")
    return Report(
        notification_id,
        event_id,
        status,
        answer,
        # X-Message-Id is what comes before the first dot.
        provider_message_id=(
            message_id.partition(".")[0] if isinstance(message_id, str) and _plain(message_id, 256) else ""
        ),
        unwanted=kind in _UNWANTED,
        at=_moment(event.get("timestamp")),
    )


def _plain(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isascii() and text.isprintable()


def _moment(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 4_102_444_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)
