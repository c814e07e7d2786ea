"""Notifications of an application: signed in x-signature over the order's id in the query, not over the body."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from urllib.parse import urlencode

from twins.faults import FaultKind
from twins.mercadopago import shapes
from twins.mercadopago.ledger import reference_keys
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.provider.book import Json
from twins.provider.deliveries import Deliveries, Notice, Post

_QUARTER = 15 * 60.0


class MercadoPagoSender:
    """Anything but 200 or 201 within 22 seconds is repeated after a quarter of an hour, thrice, then less often."""

    # What comes after the third is not published; this is ours.
    schedule: Sequence[float] = (_QUARTER, _QUARTER, _QUARTER, 3600.0, 3 * 3600.0, 6 * 3600.0, 12 * 3600.0, 24 * 3600.0)
    timeout_seconds = 22.0

    def __init__(self, settings: MercadoPagoTwinSettings) -> None:
        self._settings = settings
        self._secret = settings.webhook_secret.get_secret_value().encode()

    def compose(self, notice: Notice, attempt: int, forgery: FaultKind | None) -> Post:
        ts = notice.context["ts"]
        if attempt and self._settings.sign_again:
            ts = _ts(self._settings)
        data_id = signed_id = notice.payment_id
        if forgery is FaultKind.ALTERED:
            data_id = shapes.ulid("ORD")
        secret = b"of a stranger" if forgery is FaultKind.FORGED else self._secret
        spelling = signed_id.lower() if self._settings.sign_lower_case else signed_id
        request_id = notice.context["request_id"]
        manifest = f"id:{spelling};request-id:{request_id};ts:{ts};"
        v1 = hmac.new(secret, manifest.encode(), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "restclient-node/4.15.3",
            "X-Request-Id": request_id,
            "X-Retry": str(attempt),
            "X-Socket-Timeout": "22000",
        }
        if self._settings.sign_qr or notice.context["order_type"] != "qr":
            headers["X-Signature"] = f"ts={ts},v1={v1}"
        body = notice.message.replace(signed_id, data_id)
        separator = "&" if "?" in notice.url else "?"
        return Post(
            f"{notice.url}{separator}{urlencode({'data.id': data_id, 'type': 'order'})}", body.encode(), headers
        )

    def with_other_amount(self, message: str) -> str:
        event = json.loads(message)
        event["data"]["total_amount"] = shapes.money(shapes.cents(event["data"]["total_amount"]) + 100)
        return _text(event)

    def accepts(self, status: int) -> bool:
        return status in (200, 201)

    def attempted(self, delivery: Json) -> None:
        """Nothing of it shows in the API."""


class Events:
    def __init__(self, deliveries: Deliveries[MercadoPagoSender], settings: MercadoPagoTwinSettings) -> None:
        self._deliveries = deliveries
        self._settings = settings

    def emit(self, action: str, order: Json) -> None:
        if self._settings.webhook_url is None:
            return
        request_id = str(uuid.uuid4())
        notice = Notice(
            event_id=request_id,
            type=action,
            payment_id=order["id"],
            url=self._settings.webhook_url,
            message=_text(shapes.notification(order, action, time.time())),
            context={"request_id": request_id, "ts": _ts(self._settings), "order_type": order["type"]},
        )
        self._deliveries.announce(notice, reference_keys(order))


def _ts(settings: MercadoPagoTwinSettings) -> str:
    return str(int(time.time() * (1000 if settings.ts_unit == "ms" else 1)))


def _text(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
