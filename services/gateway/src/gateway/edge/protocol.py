"""HTTP/1.1 from the open internet: uvicorn's parser with limits on what a client may send, and on how slowly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Any, Final

from chassis.http.errors import error_body
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.proxy.headers import SECURITY

_MAX_URL: Final = 8 << 10
# Room for an access token of 16 KiB, which is what the services accept.
_MAX_HEAD: Final = 32 << 10
_MAX_HEADERS: Final = 100

_REFUSALS: Final = {
    400: ("The request is not HTTP/1.1", "http_invalid"),
    408: ("The request did not arrive in time", "request_timeout"),
    414: (f"The URL is longer than {_MAX_URL} bytes", "url_too_long"),
    431: (f"The headers are larger than {_MAX_HEAD} bytes or more than {_MAX_HEADERS}", "headers_too_large"),
}
_SECURITY: Final = b"".join(b"%b: %b\r\n" % header for header in SECURITY)


class EdgeProtocol(HttpToolsProtocol):
    """head_timeout: seconds for a request's head, also on a connection that says nothing at all. stall_timeout: seconds
    that a client may not read its answer, or keep sending a body that has been answered already."""

    head_timeout = 15.0
    stall_timeout = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading_head = True
        self._receiving = False
        self._head_size = 0
        self._refusal = 400
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        endpoint = transport.get_extra_info("socket")
        if endpoint is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # The kernel gives up on a peer that acknowledges nothing, whatever is still buffered for it.
            with contextlib.suppress(OSError):
                endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.stall_timeout * 1000))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reading_head and self._head_timer is None:
            self._await_head()
        super().data_received(data)
        if self._reading_head:
            self._head_size += len(data)
            if self._head_size > _MAX_HEAD and not self.transport.is_closing():
                self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = self._receiving = True
        self._head_size = 0
        self._refusal = 400

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > _MAX_URL:
            self._reject(414)
        if b"#" in url:  # no part of a target (RFC 9112, 3.2); the parser would cut it off
            self._reject(400)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > _MAX_HEAD or len(self.headers) >= _MAX_HEADERS:
            self._reject(431)
        if self._reading_head:  # a trailer would be taken for a header by whoever reads them later
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._reading_head = False
        self._cancel_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._receiving = False
        self._cancel_stall_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._reading_head = not self._receiving
        self._head_size = 0
        if self._receiving and not self.transport.is_closing():
            self._await_progress()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_stall_timer()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal)

    def timeout_keep_alive_handler(self) -> None:
        # close() would wait for a client that has not read its last answer in all this time.
        self.transport.abort()

    def _reject(self, status: int) -> None:
        self._refusal = status
        raise ValueError(_REFUSALS[status][1])  # ends the parsing; send_400_response follows

    def _refuse(self, status: int) -> None:
        message, code = _REFUSALS[status]
        request_id = os.urandom(16).hex()
        body = error_body(status, message, code, request=request_id)
        head = (
            b"content-type: application/json\r\n%bconnection: close\r\nx-request-id: %s\r\ncontent-length: %d\r\n\r\n"
        )
        self._cancel_timers()
        self.transport.write(STATUS_LINE[status] + head % (_SECURITY, request_id.encode(), len(body)) + body)
        self.transport.close()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout, self._head_late)

    def _head_late(self) -> None:
        if self.transport.is_closing():
            return
        if self._head_size:
            self._refuse(408)
        else:
            self.transport.abort()

    def _await_progress(self) -> None:
        self._cancel_stall_timer()
        self._stall_timer = self.loop.call_later(self.stall_timeout, self.transport.abort)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _cancel_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _cancel_timers(self) -> None:
        self._cancel_head_timer()
        self._cancel_stall_timer()
