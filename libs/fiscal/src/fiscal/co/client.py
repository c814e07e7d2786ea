"""The DIAN's service: which calls there are, and what its answers come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from fiscal.co.order import Answer, Call, Signer
from fiscal.co.settings import ColombiaSettings, Sending
from fiscal.errors import AuthorityUnavailable, OutcomeUnknown
from fiscal.profile import Environment
from fiscal.registry import Tools
from fiscal.transport import Transport

_PATH: Final = "/WcfDianCustomerServices.svc"
_ACTION: Final = "http://wcf.dian.colombia/IWcfDianCustomerServices/"


@dataclass(frozen=True, slots=True)
class File:
    """A document as it is sent. name: without its ending; the XML and the archive differ in the first letters."""

    payload: bytes
    name: str


class DianClient:
    """One transport per environment. Messages are built, signed and read in the workshop."""

    def __init__(self, tools: Tools, settings: ColombiaSettings) -> None:
        self._tools = tools
        self._settings = settings
        self._urls = {Environment.TEST: settings.test_url.rstrip("/"), Environment.PRODUCTION: settings.url.rstrip("/")}
        self._transports = {
            environment: Transport(f"dian-{environment.value.lower()}", url, settings)
            for environment, url in self._urls.items()
        }

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()

    async def send(self, environment: Environment, signer: Signer, file: File, test_set: str = "") -> Answer:
        """Raises AuthorityUnavailable where nothing happened, else OutcomeUnknown."""
        operation = "SendBillSync" if self._settings.sending is Sending.SYNC else "SendBillAsync"
        extra: tuple[tuple[str, str], ...] = ()
        if test_set:
            operation, extra = "SendTestSetAsync", (("testSetId", test_set),)
        # z before the digits of the document's own name (annex 1.9, 6.5.8).
        fields = (("fileName", f"z{file.name[2:]}.zip"), *extra)
        call = self._call(environment, signer, operation, fields)
        body = await self._tools.workshop.run("fiscal.co.soap:sending", call, file.payload, f"{file.name}.xml")
        answer = await self._transports[environment].send(operation, _PATH, data=body, headers=_headers(operation))
        said: Answer | None = await self._tools.workshop.run("fiscal.co.soap:read", answer.body)
        if answer.status == 503 and said is None:
            raise AuthorityUnavailable(retry_after=answer.retry_after)
        if said is None or (answer.status >= 300 and not said.fault):
            raise OutcomeUnknown
        return _heard(said)

    async def ask(self, environment: Environment, signer: Signer, operation: str, track_id: str) -> Answer:
        """GetStatus of a CUFE or CUDE, GetStatusZip of what is decided later. Raises AuthorityUnavailable."""
        call = self._call(environment, signer, operation, (("trackId", track_id),))
        body = await self._tools.workshop.run("fiscal.co.soap:envelope", call)
        answer = await self._transports[environment].ask(operation, _PATH, data=body, headers=_headers(operation))
        said: Answer | None = await self._tools.workshop.run("fiscal.co.soap:read", answer.body)
        if said is None:
            raise AuthorityUnavailable
        return _heard(said)

    def _call(
        self, environment: Environment, signer: Signer, operation: str, fields: tuple[tuple[str, str], ...]
    ) -> Call:
        url = urlsplit(self._urls[environment])
        to = f"{url.scheme}://{url.netloc}{url.path}{_PATH}"
        now = self._tools.clock.now()
        return Call(operation, to, fields, uuid4().hex.upper(), now, self._settings.message_seconds, signer)


def _heard(answer: Answer) -> Answer:
    """A fault is about the message and not the document: it was never looked at."""
    if answer.fault:
        raise AuthorityUnavailable("authority_refused_message")
    return answer


def _headers(operation: str) -> dict[str, str]:
    return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{_ACTION}{operation}"'}
