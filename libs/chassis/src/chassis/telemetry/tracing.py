"""OpenTelemetry across HTTP, gRPC, AMQP and SQL. Without an exporter the trace context still travels, unrecorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from chassis.settings import CommonSettings

_tracer = trace.get_tracer("cobro")


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
    return provider


@contextmanager
def span(
    name: str,
    *,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    carrier: Mapping[str, Any] | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[trace.Span]:
    """A span, child of the context in `carrier` (headers of a request or message) where one is given."""
    parent = propagate.extract(carrier) if carrier is not None else None
    with _tracer.start_as_current_span(name, context=parent, kind=kind, attributes=attributes) as current:
        yield current


def inject(carrier: dict[str, Any]) -> dict[str, Any]:
    """Write the current trace context (`traceparent`) into headers about to leave."""
    propagate.inject(carrier)
    return carrier


@contextmanager
def attached(carrier: Mapping[str, Any]) -> Iterator[None]:
    """Continue the trace of a carrier without a span of one's own."""
    token = context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        context.detach(token)
