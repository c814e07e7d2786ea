"""Links that switch messages off: `<public URL>/api/v1/unsubscribe/<token>`.

A token is a message's id and a keyed hash of it, so it can neither be guessed nor turned to another message, names
nobody, and needs no table. Whom it concerns, and which kind of news, the message knows.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final
from uuid import UUID

from chassis.crypto import BlindIndex

PATH: Final = "/api/v1/unsubscribe"
_COLUMN: Final = "notifications.unsubscribe"
_ID: Final = 16


class UnsubscribeLinks:
    def __init__(self, public_url: str, blind_index: BlindIndex) -> None:
        self._base = public_url.rstrip("/")
        self._index = blind_index

    def link(self, notification_id: UUID) -> str:
        return f"{self._base}{PATH}/{self.token(notification_id)}"

    def token(self, notification_id: UUID) -> str:
        """43 characters of base64url."""
        return base64.urlsafe_b64encode(notification_id.bytes + self._mark(notification_id)).decode().rstrip("=")

    def read(self, token: str) -> UUID | None:
        """The message, None for a token that is none of ours."""
        try:
            found = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(found) != 2 * _ID:
            return None
        notification_id = UUID(bytes=found[:_ID])
        return notification_id if hmac.compare_digest(found[_ID:], self._mark(notification_id)) else None

    def _mark(self, notification_id: UUID) -> bytes:
        return self._index.of(str(notification_id), column=_COLUMN)
