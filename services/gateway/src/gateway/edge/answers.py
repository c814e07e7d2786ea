"""The gateway's own answers, and the headers that every answer carries."""

from __future__ import annotations

from typing import Final

from chassis.http.errors import STATUS, error_body
from kernel import CobroError, ErrorKind
from starlette.types import Send

from gateway.edge.errors import GatewayError
from gateway.proxy.headers import SECURITY, Headers

STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


async def send_answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def error_answer(error: CobroError | GatewayError, request_id: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body in the error form."""
    headers: Headers = [(b"content-type", b"application/json"), *SECURITY]
    retry_after = error.retry_after
    if isinstance(error, GatewayError):
        status = error.status
        headers += error.headers
        body = error_body(status, error.message, error.code, request=request_id)
    else:
        status = STATUS[error.kind]
        body = error_body(status, error.message, error.code, errors=error.errors, request=request_id)
        if error.kind is ErrorKind.UNAUTHENTICATED:
            headers.append((b"www-authenticate", b"Bearer"))
        if error.kind is ErrorKind.UNAVAILABLE:
            retry_after = retry_after or 2
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    return status, headers, body
