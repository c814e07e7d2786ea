"""One JSON line per request on standard output, in the form of all other logs.

It does not go through structlog, whose processors cost as much as serving the request. Nothing in a line needs
scrubbing: no path, no query, no address, no header.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import IO

import orjson

_NAME = "http.access"


class AccessLog:
    """Written where the level is INFO or below."""

    def __init__(self, service: str, stream: IO[bytes] | None = None) -> None:
        self._service = service
        self._stream = stream
        self._enabled = logging.getLogger(_NAME).isEnabledFor(logging.INFO)

    def write(
        self,
        *,
        request_id: str,
        trace_id: str,
        method: str,
        route: str,
        status: int,
        milliseconds: float,
        upstream: str | None = None,
    ) -> None:
        """status 0: the client was gone before an answer. upstream: the service a gateway asked."""
        if not self._enabled:
            return
        line = {
            "method": method,
            "route": route,
            "status": status,
            "ms": round(milliseconds, 1),
            "event": "http.request",
            "level": "info",
            "logger": _NAME,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "service": self._service,
            "request_id": request_id,
            "trace_id": trace_id,
        }
        if upstream is not None:
            line["upstream"] = upstream
        stream = self._stream if self._stream is not None else sys.stdout.buffer
        try:
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            stream.flush()
        except (OSError, ValueError):  # a reader of the log that went away must not take the service with it
            return
