"""Metrics of this service."""

from __future__ import annotations

from prometheus_client import Counter

logins = Counter("cobro_auth_logins_total", "Log-ins by outcome: ok, refused", ["outcome"])
refreshes = Counter("cobro_auth_refreshes_total", "Refreshes: rotated, repeated, refused, reused", ["outcome"])
password_refusals = Counter("cobro_auth_password_refusals_total", "Hashes not begun because too many were waiting")
throttled_attempts = Counter("cobro_auth_throttled_total", "Attempts that came too soon, by what was tried", ["guess"])
throttling_fallbacks = Counter(
    "cobro_auth_throttling_fallbacks_total", "Attempts counted in this process alone, because Redis was away"
)
