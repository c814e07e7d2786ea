"""PayU's confirmations: a signed form for each attempt that has ended, posted to the address given with the order."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlencode

from twins.faults import FaultKind
from twins.payu import shapes
from twins.payu.ledger import reference_keys
from twins.payu.settings import PayuTwinSettings
from twins.payu.signing import confirmed_value, digest
from twins.provider.book import Json
from twins.provider.deliveries import Deliveries, Notice, Post

_LOG = logging.getLogger(__name__)


class PayuSender:
    """Anything but a 200 is repeated, nine attempts in all; then PayU writes an e-mail to the merchant."""

    # The nine attempts are PayU's; the steps between them are ours.
    schedule: Sequence[float] = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
    timeout_seconds = 20.0

    def __init__(self, settings: PayuTwinSettings) -> None:
        self._settings = settings

    def compose(self, notice: Notice, attempt: int, forgery: FaultKind | None) -> Post:
        fields: dict[str, str] = json.loads(notice.message)
        key = "of a stranger" if forgery is FaultKind.FORGED else self._settings.api_key.get_secret_value()
        sign = digest(
            self._settings.digest,
            key,
            fields["merchant_id"],
            fields["reference_sale"],
            confirmed_value(Decimal(fields["value"])),
            fields["currency"],
            fields["state_pol"],
        )
        if forgery is FaultKind.ALTERED:
            fields = json.loads(self.with_other_amount(notice.message))
        body = urlencode(fields | {"sign": sign, "attempts": str(attempt + 1)}).encode()
        return Post(notice.url, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def with_other_amount(self, message: str) -> str:
        fields = json.loads(message)
        return json.dumps(fields | {"value": f"{Decimal(fields['value']) + 1:.2f}"})

    def accepts(self, status: int) -> bool:
        return status == 200

    def attempted(self, delivery: Json) -> None:
        if delivery["state"] == "failed":
            _LOG.warning("twins.payu_alert_email event=%s attempts=%d", delivery["event_id"], delivery["attempts"])


class Events:
    def __init__(self, deliveries: Deliveries[PayuSender], settings: PayuTwinSettings) -> None:
        self._deliveries = deliveries
        self._settings = settings

    def emit(self, order: Json, entry: Json) -> None:
        if not order["notify_url"]:
            return
        fields = shapes.confirmation(order, entry, self._settings.merchant_id)
        notice = Notice(
            event_id=f"{entry['id']}:{fields['state_pol']}",
            type=f"transaction.{entry['state'].lower()}",
            payment_id=str(order["id"]),
            url=order["notify_url"],
            message=json.dumps(fields),
            context={},
        )
        self._deliveries.announce(notice, reference_keys(order))
