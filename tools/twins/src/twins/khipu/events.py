"""Khipu's notifications 3.0: only of a conciliated payment, to the address given with it, signed over time and body."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Sequence
from decimal import Decimal

from twins.faults import FaultKind
from twins.khipu import shapes
from twins.khipu.ledger import reference_keys
from twins.khipu.settings import KhipuTwinSettings
from twins.provider.book import Json
from twins.provider.deliveries import Deliveries, Notice, Post

TYPE = "payment.conciliated"


class KhipuSender:
    """Header x-khipu-signature `t=…,s=…`, HMAC-SHA256 over t, a dot and the body. Anything but a 200 is repeated for up
    to two days.
    """

    # The two days are Khipu's; the steps are ours.
    schedule: Sequence[float] = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
    timeout_seconds = 20.0

    def __init__(self, settings: KhipuTwinSettings) -> None:
        self._settings = settings
        self._sign_again = settings.sign_again

    def compose(self, notice: Notice, attempt: int, forgery: FaultKind | None) -> Post:
        signed = notice.message.encode()
        body = self.with_other_amount(notice.message).encode() if forgery is FaultKind.ALTERED else signed
        secret = b"of a stranger" if forgery is FaultKind.FORGED else self._secret_of(notice)
        t = milliseconds() if attempt and self._sign_again else notice.context["t"]
        headers = {"Content-Type": "application/json", "x-khipu-signature": signature(secret, t, signed)}
        return Post(notice.url, body, headers)

    def _secret_of(self, notice: Notice) -> bytes:
        return self._settings.secret_of(int(notice.context["receiver_id"])).encode()

    def with_other_amount(self, message: str) -> str:
        payment = json.loads(message)
        payment["amount"] = shapes.decimals(Decimal(payment["amount"]) + 100)
        return text(payment)

    def accepts(self, status: int) -> bool:
        return status == 200

    def attempted(self, delivery: Json) -> None:
        """Nothing of it shows in the API."""


class Events:
    def __init__(self, deliveries: Deliveries[KhipuSender]) -> None:
        self._deliveries = deliveries

    def emit(self, payment: Json) -> None:
        if not payment["notify_url"] or payment["notify_api_version"] != "3.0":
            return
        id = payment["payment_id"]
        message = text(shapes.notification(payment))
        context = {"t": milliseconds(), "receiver_id": str(payment["receiver_id"])}
        notice = Notice(id, TYPE, id, payment["notify_url"], message, context)
        self._deliveries.announce(notice, reference_keys(payment))


def signature(secret: bytes, t: str, body: bytes) -> str:
    digest = hmac.digest(secret, t.encode() + b"." + body, "sha256")
    return f"t={t},s={base64.b64encode(digest).decode()}"


def milliseconds() -> str:
    return str(int(time.time() * 1000))


def text(payment: Json) -> str:
    # Khipu escapes slashes, so that whoever writes the JSON anew before verifying it fails.
    return json.dumps(payment, separators=(",", ":")).replace("/", "\\/")
