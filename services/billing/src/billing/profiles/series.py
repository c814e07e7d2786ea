"""The names of series."""

from __future__ import annotations


def series_key(environment: str, series: str) -> str:
    """A series of an authority among those of the business: test and production never share a number."""
    return f"{environment}:{series}"
