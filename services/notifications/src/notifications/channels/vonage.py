"""SMS by Vonage's Messages API: POST /v1/messages, JSON in, 202 with message_uuid out, RFC 7807 problems.

It knows no idempotency key: a request without an answer may have sent the message.
"""

from __future__ import annotations

from typing import ClassVar

from chassis.outbound import HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse

from notifications.channels.answers import field_of
from notifications.channels.port import Accepted, Channel, Failed, Message, NotTaken, Outcome, Refused, Unanswered

# Vonage refuses longer texts.
MAX_LENGTH = 1000


class VonageChannel:
    channel: ClassVar[Channel] = Channel.SMS
    provider: ClassVar[str] = "vonage"

    def __init__(self, base_url: str, *, api_key: str, api_secret: str, sender: str, timeout: float) -> None:
        self._sender = sender.removeprefix("+")
        self._client = OutboundClient(self.provider, base_url, auth=(api_key, api_secret), timeout=timeout)

    async def send(self, message: Message) -> Outcome:
        body = {
            "message_type": "text",
            "channel": "sms",
            # E.164 without its plus.
            "to": message.recipient.removeprefix("+"),
            "from": self._sender,
            "text": message.content.text[:MAX_LENGTH],
            "client_ref": str(message.id),
        }
        try:
            response = await self._client.request("POST", "/v1/messages", operation="send", json=body)
        except NotSent as error:
            return NotTaken(error.reason, int(error.retry_after) + 1 if isinstance(error, HeldBack) else None)
        except NoAnswer as error:
            return Unanswered(error.reason)
        return _outcome(response)

    async def close(self) -> None:
        await self._client.close()


def _outcome(response: OutboundResponse) -> Outcome:
    answer = str(response.status)
    match response.status:
        case 200 | 201 | 202:
            return Accepted(answer, field_of(response, "message_uuid"))
        case 401 | 402 | 403 | 404 | 408 | 429 | 503:
            # 402: our balance is used up, which is no fault of the message.
            return NotTaken(answer, response.retry_after)
        case status if 400 <= status < 500:
            return Refused(answer)
        case _:
            return Failed(answer)
