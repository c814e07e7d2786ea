"""OpenTelemetry across HTTP, gRPC, AMQP and SQL. Without an exporter the trace context still travels, unrecorded.

A span that nobody records costs more in the SDK than the rest of what every request needs. So where it is certain that
nobody will, for want of an exporter or because the caller's span was sampled out, only the ids are made.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import Token
from types import TracebackType
from typing import Any, Final

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from chassis.settings import CommonSettings

_tracer = trace.get_tracer("cobro")
# W3C Trace Context, version 00. Whatever reads otherwise is left to the propagator.
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_ELSEWHERE: Final = ("tracestate", "baggage")


class _Sampling:
    """Of this process: whether a span may be recorded at all, and whether the caller's word on it is final. Both are
    guesses on the safe side until `configure_tracing` knows."""

    may_record = True
    follows_parent = False


_sampling = _Sampling()


def configure_tracing(service: str, settings: CommonSettings) -> TracerProvider:
    """Install the tracer provider of this process; the caller shuts it down."""
    recording = settings.otel_exporter_otlp_endpoint is not None
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "deployment.environment.name": settings.environment.value}),
        sampler=ParentBased(TraceIdRatioBased(settings.otel_sample_ratio)) if recording else ALWAYS_OFF,
        shutdown_on_exit=False,
    )
    if recording:
        # Imported here because the exporter costs 10 MiB that a process without a collector need not pay.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        endpoint = f"{str(settings.otel_exporter_otlp_endpoint).rstrip('/')}/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    _sampling.may_record, _sampling.follows_parent = recording, True
    return provider


def span(
    name: str,
    *,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    carrier: Mapping[str, Any] | None = None,
    attributes: Mapping[str, str | int] | None = None,
    record_exception: bool = True,
) -> AbstractContextManager[trace.Span]:
    """A span, child of the context in `carrier` (headers of a request or message) where one is given."""
    unrecorded = _unrecorded(carrier)
    if unrecorded is not None:
        return unrecorded
    return _recorded(name, kind, carrier, attributes, record_exception=record_exception)


@contextmanager
def _recorded(
    name: str,
    kind: trace.SpanKind,
    carrier: Mapping[str, Any] | None,
    attributes: Mapping[str, str | int] | None,
    *,
    record_exception: bool,
) -> Iterator[trace.Span]:
    parent = propagate.extract(carrier) if carrier is not None else None
    with _tracer.start_as_current_span(
        name, context=parent, kind=kind, attributes=attributes, record_exception=record_exception
    ) as current:
        yield current


class _Unrecorded:
    """What the SDK makes of a span that is sampled out: ids of its own, in the trace it belongs to."""

    __slots__ = ("_context", "_span", "_token")

    def __init__(self, trace_id: int, base: Context | None) -> None:
        self._span = trace.NonRecordingSpan(trace.SpanContext(trace_id, random.getrandbits(64) or 1, is_remote=False))
        self._context = base

    def __enter__(self) -> trace.Span:
        self._token: Token[Context] = context.attach(trace.set_span_in_context(self._span, self._context))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        context.detach(self._token)


def _unrecorded(carrier: Mapping[str, Any] | None) -> _Unrecorded | None:
    """None where the SDK has to decide, or a parent says what only the propagator understands."""
    if not _sampling.follows_parent:
        return None
    if carrier is None:
        parent = trace.get_current_span().get_span_context()
        if parent.trace_state or (_sampling.may_record and (parent.trace_flags.sampled or not parent.is_valid)):
            return None
        return _Unrecorded(parent.trace_id or _trace_id(), None)
    if any(name in carrier for name in _ELSEWHERE):
        return None
    given = carrier.get("traceparent")
    if given is None:
        return None if _sampling.may_record else _Unrecorded(_trace_id(), Context())
    found = _TRACEPARENT.fullmatch(given) if isinstance(given, str) else None
    if found is None or (_sampling.may_record and int(found[3], 16) & trace.TraceFlags.SAMPLED):
        return None
    return _Unrecorded(int(found[1], 16), Context())


def _trace_id() -> int:
    return random.getrandbits(128) or 1


def inject(carrier: dict[str, Any]) -> dict[str, Any]:
    """Write the current trace context (`traceparent`) into headers about to leave."""
    inject_into(carrier)
    return carrier


def inject_into(carrier: MutableMapping[str, Any]) -> None:
    here = trace.get_current_span().get_span_context()
    if here.trace_state or baggage.get_all():
        propagate.inject(carrier)
    elif here.is_valid:
        carrier["traceparent"] = f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}"


@contextmanager
def attached(carrier: Mapping[str, Any]) -> Iterator[None]:
    """Continue the trace of a carrier without a span of one's own."""
    token = context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        context.detach(token)
