"""Push by Firebase Cloud Messaging's HTTP v1 API: POST /v1/projects/{project}/messages:send, JSON in and out.

Calls carry an OAuth 2.0 token that a service account is given for a JWT it signs itself (RFC 7523); it is kept until
shortly before it expires. A token of a device that FCM knows no more is 404 UNREGISTERED: the app is gone from there.
FCM knows no idempotency key: a request without an answer may have sent the message.

There is no second provider for the same device: a registration token is FCM's own. Whoever is written to by push is
written to by SMS or e-mail as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

import orjson
from chassis.outbound import HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson

from notifications.channels.port import (
    Accepted,
    Channel,
    Failed,
    Gone,
    Message,
    NotTaken,
    Outcome,
    Refused,
    Unanswered,
)

_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 3600
# A token is not used in its last minutes, so that it does not expire on its way.
_MARGIN_SECONDS: Final = 300
# FCM takes 4096 bytes in all.
_MAX_BODY: Final = 1000
_ERROR_TYPE: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A Google service account, as its key file has it."""

    project_id: str
    client_email: str
    token_uri: str
    private_key_id: str
    private_key: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the key file's JSON. Raises ValueError, which says what is missing and nothing of the key."""
        try:
            found = orjson.loads(text)
        except ValueError:
            raise ValueError("is no JSON") from None
        names = ("project_id", "client_email", "token_uri", "private_key_id", "private_key")
        values = {
            name: value
            for name in names
            if isinstance(found, dict) and isinstance(value := found.get(name), str) and value
        }
        if len(values) < len(names):
            raise ValueError(f"must be a service account's key file with {', '.join(names)}")
        if not urlsplit(values["token_uri"]).hostname:
            raise ValueError("token_uri is no address")
        return cls(**values)


class FcmChannel:
    channel: ClassVar[Channel] = Channel.PUSH
    provider: ClassVar[str] = "fcm"

    def __init__(
        self, base_url: str, *, account: ServiceAccount, timeout: float, now: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._now = now
        self._path = f"/v1/projects/{account.project_id}/messages:send"
        self._client = OutboundClient(self.provider, base_url, timeout=timeout)
        token = urlsplit(account.token_uri)
        self._token_path = token.path or "/"
        self._tokens = OutboundClient("google-oauth", f"{token.scheme}://{token.netloc}", timeout=timeout)
        self._token = ""
        self._token_until = 0.0
        self._asking = asyncio.Lock()

    async def send(self, message: Message) -> Outcome:
        try:
            token = await self._access_token()
        except _NoToken as error:
            return NotTaken(error.answer, error.retry_after)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            response = await self._client.request(
                "POST", self._path, operation="send", json=_body(message), headers=headers
            )
        except NotSent as error:
            return NotTaken(error.reason, int(error.retry_after) + 1 if isinstance(error, HeldBack) else None)
        except NoAnswer as error:
            return Unanswered(error.reason)
        if response.status == 401 and self._token == token:
            self._token_until = 0.0
        return _outcome(response)

    async def close(self) -> None:
        await self._client.close()
        await self._tokens.close()

    async def _access_token(self) -> str:
        """Raises _NoToken."""
        if self._now() < self._token_until:
            return self._token
        async with self._asking:
            if self._now() < self._token_until:
                return self._token
            form = {"grant_type": _GRANT, "assertion": self._assertion()}
            try:
                response = await self._tokens.request("POST", self._token_path, operation="token", data=form)
            except (NotSent, NoAnswer) as error:
                raise _NoToken(f"token {error.reason}") from None
            if response.status != 200:
                raise _NoToken(f"token {response.status}", response.retry_after)
            found = _object(response)
            token, seconds = found.get("access_token"), found.get("expires_in")
            if not isinstance(token, str) or not token.isascii() or not isinstance(seconds, int):
                raise _NoToken("token unreadable")
            self._token = token
            self._token_until = self._now() + max(seconds - _MARGIN_SECONDS, 0)
            return token

    def _assertion(self) -> str:
        # RSA is needed once an hour, and only where there is anybody to push to.
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.jwk import RSAKey  # noqa: PLC0415

        now = int(self._now())
        claims = {
            "iss": self._account.client_email,
            "scope": _SCOPE,
            "aud": self._account.token_uri,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.private_key_id}
        return jwt.encode(header, claims, RSAKey.import_key(self._account.private_key), algorithms=["RS256"])


class _NoToken(Exception):
    def __init__(self, answer: str, retry_after: int | None = None) -> None:
        super().__init__(answer)
        self.answer = answer
        self.retry_after = retry_after


def _body(message: Message) -> dict[str, Any]:
    content = message.content
    return {
        "message": {
            "token": message.recipient,
            "notification": {"title": content.subject, "body": content.text[:_MAX_BODY]},
            "data": {"notificationId": str(message.id)},
        }
    }


def _object(response: OutboundResponse) -> Mapping[str, Any]:
    try:
        body = response.json()
    except InvalidJson:
        return {}
    return body if isinstance(body, dict) else {}


def _error_code(response: OutboundResponse) -> str:
    """FCM's own code among the details, such as UNREGISTERED; else the status of the error, such as NOT_FOUND."""
    error = _object(response).get("error")
    if not isinstance(error, dict):
        return ""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and detail.get("@type") == _ERROR_TYPE:
            return str(detail.get("errorCode"))[:40]
    return str(error.get("status", ""))[:40]


def _outcome(response: OutboundResponse) -> Outcome:
    if response.status == 200:
        name = _object(response).get("name")
        return Accepted("200", name[:128] if isinstance(name, str) else "")
    code = _error_code(response)
    answer = f"{response.status} {code}".strip()
    if code == "UNREGISTERED":
        return Gone(answer)
    match response.status:
        case 401 | 403 | 404 | 408 | 429 | 503:
            # A 404 without UNREGISTERED is a project that does not exist: ours to mend.
            return NotTaken(answer, response.retry_after)
        case status if 400 <= status < 500:
            return Refused(answer)
        case _:
            return Failed(answer)
