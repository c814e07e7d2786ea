"""SW Sapien (SmarterWEB), REST. https://developers.sw.com.mx, "Timbrado V4 – CustomID", "Cancelación por XML".

The same XML under the same customid is stamped once: again it answers 307 with what it stamped in `data.cfdi`.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any, ClassVar, Final
from urllib.parse import quote

from chassis.outbound import OutboundResponse
from pydantic import SecretStr

from fiscal.errors import AuthorityUnavailable, Message, OutcomeUnknown
from fiscal.mx.pac import CancelAnswer, Pac, Refused, Stamped
from fiscal.transport import Transport

# "CFDI40108 - …", "307. El comprobante…": only a code of SAT is a no. What has none is about us, not the document.
_CODE: Final = re.compile(r"^\s*((?:CFDI|CRP)?\d{3,6})\b[\s.:\-]*(.*)", re.DOTALL)
_STAMPED_BEFORE: Final = "307"


class SwSapien(Pac):
    name: ClassVar[str] = "sw"

    def __init__(self, transport: Transport, token: SecretStr, query_path: str) -> None:
        self._transport = transport
        self._token = token
        self._query_path = query_path

    async def stamp(self, sealed: bytes, custom_id: str) -> Stamped | Refused:
        answer = await self._send("sw_stamp", "/v4/cfdi33/stamp/v4", sealed, {"customid": custom_id})
        body = _body(answer)
        content = _content(body)
        if content is not None:
            return Stamped(content)
        code, text = _code(body)
        if code == _STAMPED_BEFORE:
            # It has the document and has not said which: to be asked for.
            raise OutcomeUnknown
        if code and body.get("status") == "error":
            return Refused((Message(code, text),))
        if answer.status < 500 and body.get("status") == "error":
            raise AuthorityUnavailable("pac_refused")
        raise OutcomeUnknown

    async def stamped(self, sealed: bytes, custom_id: str) -> Stamped | None:
        path = self._query_path.format(custom_id=quote(custom_id, safe=""))
        answer = await self._transport.ask("sw_query", path, headers=self._authorized())
        if answer.status == 404:
            return None
        content = _content(_body(answer))
        if content is None:
            raise AuthorityUnavailable("pac_answer_unreadable")
        return Stamped(content)

    async def cancel(self, request: bytes) -> CancelAnswer:
        answer = await self._send("sw_cancel", "/cfdi33/cancel/xml", request, {})
        body = _body(answer)
        data = body.get("data")
        if isinstance(data, dict):
            uuids = data.get("uuid")
            code = next(iter(uuids.values()), "") if isinstance(uuids, dict) else uuids
            if isinstance(code, str) and code:
                receipt = data.get("acuse")
                return CancelAnswer(code, receipt=receipt.encode() if isinstance(receipt, str) else None)
        code, text = _code(body)
        if code:
            return CancelAnswer(code, text)
        raise OutcomeUnknown

    async def close(self) -> None:
        await self._transport.close()

    async def _send(self, operation: str, path: str, xml: bytes, headers: dict[str, str]) -> OutboundResponse:
        # Derived from the content, so that it cannot be within it by chance twice running.
        boundary = sha256(xml).hexdigest()
        form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="xml"; filename="xml"\r\n'
            "Content-Type: text/xml\r\n\r\n"
        )
        answer = await self._transport.send(
            operation,
            path,
            data=form.encode() + xml + f"\r\n--{boundary}--\r\n".encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}", **self._authorized(), **headers},
        )
        if answer.status == 503:
            raise AuthorityUnavailable(retry_after=answer.retry_after)
        if answer.status in (401, 403):
            raise AuthorityUnavailable("pac_credentials_refused")
        return answer

    def _authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"}


def _body(answer: OutboundResponse) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _content(body: dict[str, Any]) -> bytes | None:
    data = body.get("data")
    content = data.get("cfdi") if isinstance(data, dict) else None
    return content.encode() if isinstance(content, str) and content else None


def _code(body: dict[str, Any]) -> tuple[str, str]:
    message = body.get("message")
    found = _CODE.match(message) if isinstance(message, str) else None
    if found is None:
        return "", ""
    detail = body.get("messageDetail")
    return found[1], " ".join([found[2].strip(), detail if isinstance(detail, str) else ""]).strip()
