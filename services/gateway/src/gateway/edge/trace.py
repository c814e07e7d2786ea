"""The trace of a request begins here: what a client writes into `traceparent` is not believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.telemetry import tracing
from opentelemetry.trace import SpanKind, Status, StatusCode


@dataclass(slots=True)
class Trace:
    """traceparent: W3C Trace Context, for the service behind. status is set before the end."""

    trace_id: str
    traceparent: bytes
    status: int = 0


class Tracer:
    """Spans cost more than the request when nobody records them, so that without an exporter only the ids are made."""

    def __init__(self, *, recording: bool) -> None:
        self._recording = recording

    @contextmanager
    def begin(self, method: str) -> Iterator[Trace]:
        if not self._recording:
            ids = os.urandom(24).hex()
            yield Trace(ids[:32], b"00-%b-%b-00" % (ids[:32].encode(), ids[32:].encode()))
            return
        with tracing.span(f"{method} gateway", kind=SpanKind.SERVER, carrier={}) as span:
            trace = Trace(
                f"{span.get_span_context().trace_id:032x}", tracing.inject({}).get("traceparent", "").encode()
            )
            yield trace
            span.set_attribute("http.response.status_code", trace.status)
            if trace.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
