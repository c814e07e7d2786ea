"""What operators watch of the payments service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

outcomes = Counter(
    "cobro_payments_submissions_total", "Payments sent to a provider by what came of it", ["provider", "outcome"]
)
moves = Counter("cobro_payments_moves_total", "Steps taken by payments", ["provider", "step", "cause"])
late = Counter("cobro_payments_late_total", "Money that came after the payment had been given up", ["provider"])
disputed = Counter(
    "cobro_payments_disputed_total", "Payments whose money at the provider is not what was asked for", ["provider"]
)
foreign_webhooks = Counter(
    "cobro_payments_foreign_webhooks_total", "Webhooks of payments that are none of ours", ["provider"]
)
reads = Counter("cobro_payments_reads_total", "Payments read again at the provider", ["provider", "outcome"])
refunds = Counter("cobro_payments_refunds_total", "Refunds by the end they came to", ["provider", "step"])
unresolved = Gauge("cobro_payments_unresolved", "Payments and refunds whose outcome is not known", ["kind"])
unresolved_oldest_seconds = Gauge(
    "cobro_payments_unresolved_oldest_seconds", "Age of the oldest payment or refund of unknown outcome", ["kind"]
)
poll_lag_seconds = Gauge("cobro_payments_poll_lag_seconds", "How late the most overdue reading is", ["kind"])
unreconciled = Gauge(
    "cobro_payments_unreconciled",
    "Differences to the provider's list that stay open, of the last day compared",
    ["provider", "kind"],
)
reconciled_age_seconds = Gauge(
    "cobro_payments_reconciled_age_seconds", "Time since the end of the last day compared", ["provider"]
)
open_disputes = Gauge("cobro_payments_open_disputes", "Payments flagged as disputed and not yet settled")
