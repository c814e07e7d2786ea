"""Percentiles of delays."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds; endless where nothing arrived."""

    p50: float
    p99: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Delay:
        if len(milliseconds) < 2:
            return cls(math.inf, math.inf)
        cuts = statistics.quantiles(milliseconds, n=100)
        return cls(cuts[49], cuts[98])
