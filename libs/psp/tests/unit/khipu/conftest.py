from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """What Khipu sends. Of its own pages: webhook, created, payment. Of others who have met it: the rest."""
    return lambda name: (SAMPLES / f"{name}.json").read_bytes()
