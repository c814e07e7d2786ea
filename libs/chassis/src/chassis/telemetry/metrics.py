"""The Prometheus metrics of the chassis. A service's own live beside its features, with the same `cobro_` prefix."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

http_requests = Histogram(
    "cobro_http_request_seconds", "HTTP requests answered", ["service", "method", "route", "status"], buckets=_LATENCY
)
rpc_requests = Histogram(
    "cobro_rpc_request_seconds", "gRPC calls answered", ["service", "method", "code"], buckets=_LATENCY
)
outbox_sent = Counter("cobro_outbox_sent_total", "Events confirmed by the broker", ["service"])
outbox_failures = Counter("cobro_outbox_failures_total", "Attempts to publish that did not succeed", ["service"])
outbox_oldest_seconds = Gauge("cobro_outbox_oldest_seconds", "Age of the oldest unsent event", ["service"])
outbox_parked = Gauge("cobro_outbox_parked", "Events given up as unpublishable", ["service"])
outbox_resent = Counter("cobro_outbox_resent_total", "Events sent again by the delivery audit", ["service", "queue"])
messages = Counter("cobro_bus_messages_total", "Messages by what became of them", ["queue", "outcome"])
message_seconds = Histogram("cobro_bus_message_seconds", "Time to handle a message", ["queue"], buckets=_LATENCY)
message_lag = Histogram(
    "cobro_bus_message_lag_seconds",
    "From the event's time to the start of its handling",
    ["queue"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)
job_last_success = Gauge("cobro_job_last_success_timestamp_seconds", "When a job last ended well", ["service", "job"])
job_failures = Counter("cobro_job_failures_total", "Runs of a job that failed", ["service", "job"])
transaction_retries = Counter("cobro_db_transaction_retries_total", "Transactions run again", ["service", "code"])
row_security_refusals = Counter(
    "cobro_row_security_refusals_total", "Writes of another tenant's row, stopped by PostgreSQL", ["service"]
)
cache_operations = Counter("cobro_cache_operations_total", "Redis calls by outcome", ["service", "outcome"])
