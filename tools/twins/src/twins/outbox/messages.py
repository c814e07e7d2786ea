"""What the SMS and e-mail twins were asked to send, kept for looking at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from twins.store import Store

MESSAGE = "outbox.message"
Channel = Literal["SMS", "EMAIL", "PUSH"]


class Outbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        channel: Channel,
        to: str,
        sender: str,
        *,
        subject: str | None = None,
        text: str = "",
        html: str | None = None,
        attachments: list[dict[str, Any]] | None = None,
        provider_id: str | None = None,
        provider: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        """provider: the twin that took it. headers: those of an e-mail that a sender asked for."""
        id = uuid4().hex
        message = {
            "id": id,
            "channel": channel,
            "to": to,
            "from": sender,
            "subject": subject,
            "text": text,
            "html": html,
            "attachments": attachments or [],
            "providerId": provider_id or id,
            "provider": provider,
            "headers": headers or {},
            "sentAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        self._store.put(MESSAGE, id, message, keys=[to.lower(), channel])
        return id

    def get(self, id: str) -> dict[str, Any] | None:
        return self._store.get(MESSAGE, id)

    def list(self, to: str | None, channel: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first."""
        if to is not None:
            found = self._store.find(MESSAGE, to.lower(), limit=10_000)
            return [message for message in found if channel in (None, message["channel"])][:limit]
        if channel is not None:
            return self._store.find(MESSAGE, channel, limit)
        return self._store.newest(MESSAGE, limit)
