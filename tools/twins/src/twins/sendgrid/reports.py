"""SendGrid's event webhook: a JSON array, signed with ECDSA (P-256) over the timestamp and the body."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twins.reports import ReportPost

# An address that begins so has no mailbox.
BOUNCING = "bounce"


class EventWebhook:
    """url: where events go. private_key: PEM, newlines may be a literal \\n."""

    def __init__(self, url: str, private_key: str) -> None:
        self._url = url
        key = load_pem_private_key(private_key.replace("\\n", "\n").encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("SendGrid signs with a key of an elliptic curve")
        self._key = key

    def posts(self, message_id: str, recipients: Sequence[str], custom: Mapping[str, str]) -> list[ReportPost]:
        kinds = [(to, kind) for to in recipients for kind in ("processed", _end_of(to))]
        events = [self._event(to, kind, message_id, custom) for to, kind in kinds]
        return [self.signed(json.dumps(events).encode())]

    def signed(self, body: bytes) -> ReportPost:
        timestamp = str(int(time.time()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
        return ReportPost(self._url, body, headers)

    def _event(self, to: str, kind: str, message_id: str, custom: Mapping[str, str]) -> dict[str, object]:
        event: dict[str, object] = {
            **custom,
            "email": to,
            "event": kind,
            "sg_event_id": secrets.token_urlsafe(16),
            "sg_message_id": f"{message_id}.twin-0000-0",
            "smtp-id": f"<{message_id}@geopod-ismtpd-twin>",
            "timestamp": int(time.time()),
        }
        if kind == "bounce":
            event |= {"status": "5.1.1", "type": "bounce", "reason": f"550 5.1.1 <{to}>: no such user"}
        return event


def _end_of(to: str) -> str:
    return "bounce" if to.startswith(BOUNCING) else "delivered"
