"""E-mail by SendGrid: POST /v3/mail/send, JSON in, 202 with X-Message-Id and no body out.

It knows no idempotency key: a request without an answer may have sent the message.
"""

from __future__ import annotations

from typing import Any, ClassVar

from chassis.outbound import HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse

from notifications.channels.headers import unsubscribe_headers
from notifications.channels.port import (
    IMAGE_ID,
    IMAGE_NAME,
    Accepted,
    Channel,
    Failed,
    Message,
    NotTaken,
    Outcome,
    Refused,
    Unanswered,
)

_PATH = "/v3/mail/send"


class SendGridChannel:
    channel: ClassVar[Channel] = Channel.EMAIL
    provider: ClassVar[str] = "sendgrid"

    def __init__(self, base_url: str, *, api_key: str, sender: str, timeout: float) -> None:
        self._sender = sender
        self._client = OutboundClient(
            self.provider, base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=timeout
        )

    async def send(self, message: Message) -> Outcome:
        try:
            response = await self._client.request("POST", _PATH, operation="send", json=self._body(message))
        except NotSent as error:
            return NotTaken(error.reason, int(error.retry_after) + 1 if isinstance(error, HeldBack) else None)
        except NoAnswer as error:
            return Unanswered(error.reason)
        return _outcome(response)

    async def close(self) -> None:
        await self._client.close()

    def _body(self, message: Message) -> dict[str, Any]:
        content = message.content
        sender = {"email": self._sender, **({"name": content.sender_name} if content.sender_name else {})}
        return {
            "personalizations": [{"to": [{"email": message.recipient}]}],
            "from": sender,
            "subject": content.subject,
            "content": [
                {"type": "text/plain", "value": content.text},
                {"type": "text/html", "value": content.html},
            ],
            **({"headers": unsubscribe_headers(content.unsubscribe)} if content.unsubscribe else {}),
            **({"attachments": [_image(content.image)]} if content.image else {}),
            "custom_args": {"notification_id": str(message.id)},
            # A receipt is not an advertisement: links stay what they are, and nobody watches who opens it.
            "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
        }


def _image(image: str) -> dict[str, str]:
    return {
        "content": image,
        "type": "image/png",
        "filename": IMAGE_NAME,
        "disposition": "inline",
        "content_id": IMAGE_ID,
    }


def _outcome(response: OutboundResponse) -> Outcome:
    answer = str(response.status)
    match response.status:
        case 200 | 201 | 202:
            return Accepted(answer, response.headers.get("X-Message-Id", "")[:128])
        case 401 | 403 | 404 | 408 | 429 | 503:
            return NotTaken(answer, response.retry_after)
        case status if 400 <= status < 500:
            return Refused(answer)
        case _:
            return Failed(answer)
