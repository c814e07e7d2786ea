"""SMS by Twilio's Programmable Messaging: POST /2010-04-01/Accounts/{sid}/Messages.json, form in, JSON out.

It knows no idempotency key: a request without an answer may have sent the message. What became of it later, Twilio
posts to the StatusCallback.
"""

from __future__ import annotations

from typing import ClassVar

from chassis.outbound import HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse

from notifications.channels.answers import field_of
from notifications.channels.port import Accepted, Channel, Failed, Message, NotTaken, Outcome, Refused, Unanswered

# Twilio refuses longer bodies (error 21617).
MAX_LENGTH = 1600


class TwilioChannel:
    channel: ClassVar[Channel] = Channel.SMS
    provider: ClassVar[str] = "twilio"

    def __init__(
        self, base_url: str, *, account_sid: str, auth_token: str, sender: str, timeout: float, callback_url: str = ""
    ) -> None:
        """callback_url: where Twilio is to post what became of a message, empty for nowhere."""
        self._callback_url = callback_url
        self._path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._sender = sender
        self._client = OutboundClient(self.provider, base_url, auth=(account_sid, auth_token), timeout=timeout)

    async def send(self, message: Message) -> Outcome:
        form = {"To": message.recipient, "From": self._sender, "Body": message.content.text[:MAX_LENGTH]}
        if self._callback_url:
            form["StatusCallback"] = f"{self._callback_url}?notification={message.id}"
        try:
            response = await self._client.request("POST", self._path, operation="send", data=form)
        except NotSent as error:
            return NotTaken(error.reason, int(error.retry_after) + 1 if isinstance(error, HeldBack) else None)
        except NoAnswer as error:
            return Unanswered(error.reason)
        return _outcome(response)

    async def close(self) -> None:
        await self._client.close()


def _outcome(response: OutboundResponse) -> Outcome:
    name, code = field_of(response, "sid"), field_of(response, "code")
    answer = " ".join(part for part in (str(response.status), field_of(response, "status") if name else code) if part)
    match response.status:
        case 200 | 201:
            return Accepted(answer, name)
        case 401 | 403 | 404 | 408 | 429 | 503:
            # 404 is an account that does not exist: like bad credentials, ours to mend and no reason to drop a message.
            return NotTaken(answer, response.retry_after)
        case status if 400 <= status < 500:
            return Refused(answer)
        case _:
            return Failed(answer)
