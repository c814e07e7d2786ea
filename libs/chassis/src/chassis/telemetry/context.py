"""What a request carries along, whatever protocol it came by."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("cobro_request_id", default="")
