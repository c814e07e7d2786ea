"""SMS by Twilio's Programmable Messaging: POST /2010-04-01/Accounts/{sid}/Messages.json, form in, JSON out.

It knows no idempotency key: a request without an answer may have sent the message.
"""

from __future__ import annotations

from typing import ClassVar

from chassis.outbound import CircuitOpen, NoAnswer, NotSent, OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson

from notifications.channels.port import Accepted, Channel, Failed, Message, NotTaken, Outcome, Refused, Unanswered

# Twilio refuses longer bodies (error 21617).
MAX_LENGTH = 1600


class TwilioChannel:
    channel: ClassVar[Channel] = Channel.SMS
    provider: ClassVar[str] = "twilio"

    def __init__(self, base_url: str, *, account_sid: str, auth_token: str, sender: str, timeout: float) -> None:
        self._path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._sender = sender
        self._client = OutboundClient(self.provider, base_url, auth=(account_sid, auth_token), timeout=timeout)

    async def send(self, message: Message) -> Outcome:
        form = {"To": message.recipient, "From": self._sender, "Body": message.content.text[:MAX_LENGTH]}
        try:
            response = await self._client.request("POST", self._path, operation="send", data=form)
        except NotSent as error:
            return NotTaken(error.reason, int(error.retry_after) + 1 if isinstance(error, CircuitOpen) else None)
        except NoAnswer as error:
            return Unanswered(error.reason)
        return _outcome(response)

    async def close(self) -> None:
        await self._client.close()


def _outcome(response: OutboundResponse) -> Outcome:
    name, code = _field(response, "sid"), _field(response, "code")
    answer = " ".join(part for part in (str(response.status), _field(response, "status") if name else code) if part)
    match response.status:
        case 200 | 201:
            return Accepted(answer, name)
        case 401 | 403 | 404 | 408 | 429:
            # 404 is an account that does not exist: like bad credentials, ours to mend and no reason to drop a message.
            return NotTaken(answer, response.retry_after)
        case status if 400 <= status < 500:
            return Refused(answer)
        case _:
            return Failed(answer)


def _field(response: OutboundResponse, name: str) -> str:
    try:
        body = response.json()
    except InvalidJson:
        return ""
    value = body.get(name) if isinstance(body, dict) else None
    return str(value)[:64] if isinstance(value, str | int) else ""
