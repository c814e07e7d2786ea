from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """What PayU sends, as its documentation shows it (snapshot of 2023-12-26)."""
    return lambda name: next(SAMPLES.glob(f"{name}.*")).read_bytes()
